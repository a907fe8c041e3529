"""Copies of a migrated database are complete, and made anew when a source changes."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from tests.support.servers import migrated

APPLIED = "SELECT app, name FROM django_migrations"
STATUSES = "SELECT count(*) FROM tickets_status"


@pytest.fixture
def sources(monkeypatch, tmp_path):
    """Sources and originals of the test's own."""
    (tmp_path / "tickets").mkdir()
    monkeypatch.setattr(migrated, "SOURCES", tmp_path)
    monkeypatch.setattr(migrated, "FOLDER", tmp_path / "originals")
    yield tmp_path
    migrated._state_of_sources.cache_clear()


def original():
    """Return the content of the original, as in a new process."""
    migrated._state_of_sources.cache_clear()
    with migrated._original("text", make) as path:
        return path.read_text()


def make(path):
    path.write_text((migrated.SOURCES / "tickets/defaults.py").read_text())


def test_file_has_every_migration_and_the_defaults(tmp_path):
    migrated.copy_to_file(tmp_path / "desk.sqlite3")
    with closing(sqlite3.connect(tmp_path / "desk.sqlite3")) as database:
        assert set(database.execute(APPLIED)) == set(MigrationLoader(None).disk_migrations)
        assert database.execute(STATUSES).fetchone() != (0,)


def test_server_has_every_migration_and_the_defaults():
    with migrated.postgres() as url, psycopg.connect(url) as database:
        assert set(database.execute(APPLIED)) == set(MigrationLoader(None).disk_migrations)
        assert database.execute(STATUSES).fetchone() != (0,)


def test_original_is_made_once_for_each_state_of_the_sources(sources):
    (sources / "tickets/defaults.py").write_text("one")
    assert original() == "one"
    kept = next((sources / "originals").glob("text-*"))
    kept.write_text("kept")
    assert original() == "kept"
    (sources / "tickets/defaults.py").write_text("two")
    assert original() == "two"
    assert not kept.exists()


def test_modules_that_new_databases_do_not_depend_on_leave_the_original(sources):
    (sources / "tickets/defaults.py").write_text("one")
    (sources / "tickets/views.py").write_text("one")
    assert original() == "one"
    kept = next((sources / "originals").glob("text-*"))
    (sources / "tickets/views.py").write_text("two")
    assert original() == "one"
    assert kept.exists()


def test_failure_leaves_no_original(sources, monkeypatch):
    (sources / "tickets/defaults.py").write_text("one")

    def fail(path):
        path.write_text("half")
        raise RuntimeError("No.")

    with pytest.raises(RuntimeError), migrated._original("text", fail):
        pass
    assert original() == "one"


def test_other_version_of_the_database_is_another_state(sources, monkeypatch):
    before = migrated._state_of_sources()
    migrated._state_of_sources.cache_clear()
    monkeypatch.setattr(migrated.sqlite3, "sqlite_version", "0")
    assert migrated._state_of_sources() != before
