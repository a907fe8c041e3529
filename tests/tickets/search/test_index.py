"""SQLite keeps its indexes of searchable texts by triggers, which a migration that rebuilds the table drops."""

import pytest
from django.db import connection

from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
INDEXES = ("tickets_note_parts", "tickets_public_parts")


def test_every_migration_leaves_the_triggers_of_both_indexes(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'tickets_searchtext'")
        triggers = sorted(name for (name,) in cursor.fetchall())
        for index in INDEXES:  # raises where index and table differ
            cursor.execute(f"INSERT INTO {index}({index}, rank) VALUES ('integrity-check', 0)")
    assert triggers == sorted(f"{index}_{event}" for index in INDEXES for event in ("insert", "delete", "update"))
