"""Copies of the cast for tests on SQLite: creating it anew takes longer than most tests do.

It is created once, as the tests begin, and rolled back. A copy has the rows and objects of that one, as if they were
created now: only the times within payloads of events are older.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection, models, transaction
from django.utils import timezone

from tests.support.cast import Cast, create_cast

TABLES = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"  # triggers fill virtual ones


@dataclass(frozen=True)
class Original:
    """The cast, the rows that it consists of, and when it was created."""

    cast: Cast
    rows: dict[str, list[tuple[Any, ...]]]
    created_at: datetime

    @classmethod
    def create(cls) -> Self:
        """Create the cast in an empty database, and leave none of it there."""
        with transaction.atomic():
            before = dict(_tables())
            cast = create_cast()
            added = {table: [row for row in rows if row not in before[table]] for table, rows in _tables()}
            transaction.set_rollback(True)
        # After the last of its times: no copy lies in the future.
        return cls(cast, {table: rows for table, rows in added.items() if rows}, timezone.now())

    def copy(self) -> Cast:
        """Return the cast in the test's database; beside rows that a test has written already, a new one."""
        if self._has_rows():
            return create_cast()
        age = timezone.now() - self.created_at
        with transaction.atomic(), connection.cursor() as cursor:
            for table, rows in self.rows.items():
                places = ", ".join(["%s"] * len(rows[0]))
                later = [[_later(value, age) for value in row] for row in rows]
                cursor.executemany(f'INSERT INTO "{table}" VALUES ({places})', later)
        cast = deepcopy(self.cast)
        for row in vars(cast).values():
            _move(row, age)
        return cast

    def _has_rows(self) -> bool:
        query = " UNION ALL ".join(f'SELECT * FROM (SELECT 1 FROM "{table}" LIMIT 1)' for table in self.rows)
        with connection.cursor() as cursor:
            return cursor.execute(query).fetchone() is not None


def _tables() -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Yield each table and its rows."""
    with connection.cursor() as cursor:
        names = [name for (name,) in cursor.execute(TABLES).fetchall() if not name.startswith("sqlite_")]
        for name in names:
            yield name, cursor.execute(f'SELECT * FROM "{name}"').fetchall()


def _later(value: Any, age: timedelta) -> Any:
    return str(value + age) if isinstance(value, datetime) else value


def _move(row: models.Model, age: timedelta) -> None:
    """Let the times of an object be those of its row, and let it read related rows again."""
    row.__dict__.pop("_prefetched_objects_cache", None)
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, datetime):
            setattr(row, field.attname, value + age)
