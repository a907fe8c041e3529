"""Restores the database between tests, which is faster than emptying it and running every receiver of a migration."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.sql import SQL, Composed, Identifier

# The servers of browsers keep their own reports; the event log is empty for the next test.
LEFT_ALONE = "realtime_"
LOG = ("realtime_receipt", "realtime_delivery", "realtime_broadcast")


def of_connection(connection: BaseDatabaseWrapper) -> Callable[[], None]:
    """Remember the tables of Django's test database, and return how to bring all of them back."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return _of_sqlite_connection(connection)
    tables = _stage(connection.connection)
    # As TRUNCATE would: no transaction that is still open adds a row afterwards.
    lock = SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE;").format(SQL(", ").join(tables))
    script = (lock + _restoring(tables)).as_string()

    def put_back() -> None:
        # The transaction ends after a deadlock too, so that the restoration can be tried again.
        with transaction.atomic(connection.alias), connection.cursor() as cursor:
            cursor.execute(script)

    return put_back


def _of_sqlite_connection(connection: BaseDatabaseWrapper) -> Callable[[], None]:
    staged = sqlite3.connect(":memory:", check_same_thread=False)
    connection.connection.backup(staged)

    def put_back() -> None:
        connection.ensure_connection()
        staged.backup(connection.connection)

    return put_back


def of_sqlite(live: Path, staged: Path) -> Callable[[], None]:
    """Return how to bring the tables of the file `live` back to those of `staged`."""

    def put_back() -> None:
        with closing(sqlite3.connect(live, timeout=20)) as db, db:
            db.execute("ATTACH ? AS staged", [str(staged)])
            # Triggers keep the tables of the search indexes, which are "virtual" and "shadow".
            listed = "SELECT name FROM pragma_table_list WHERE schema = 'staged' AND type = 'table'"
            names = db.execute(listed).fetchall()
            for name in [name for (name,) in names if not name.startswith((LEFT_ALONE, "sqlite_"))]:
                db.execute(f'DELETE FROM main."{name}"')
                db.execute(f'INSERT INTO main."{name}" SELECT * FROM staged."{name}"')
            for name in LOG:
                db.execute(f"DELETE FROM main.{name}")

    return put_back


def of_postgres(database: str) -> Callable[[], None]:
    """Remember the tables as they are, and return how to bring them back."""
    with psycopg.connect(database) as db:
        script = _restoring(_stage(db, left_alone=LEFT_ALONE))
    empty = [SQL("DELETE FROM public.{0};").format(Identifier(name)) for name in LOG]

    def put_back() -> None:
        with psycopg.connect(database) as db:
            db.execute(script + Composed(empty))

    return put_back


def _stage(db: psycopg.Connection, *, left_alone: str = "-") -> list[Identifier]:
    """Copy the tables to another schema; return those whose name begins with anything but `left_alone`."""
    found = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    tables = [Identifier(name) for (name,) in found if not name.startswith(left_alone)]
    db.execute("CREATE SCHEMA staged")
    for table in tables:
        db.execute(SQL("CREATE TABLE staged.{0} AS TABLE public.{0}").format(table))
    return tables


def _restoring(tables: list[Identifier]) -> Composed:
    """Return the statements that bring the rows of `tables` back, which go and come in any order."""
    each = SQL("DELETE FROM public.{0}; INSERT INTO public.{0} SELECT * FROM staged.{0};")
    restored = Composed(each.format(table) for table in tables)
    return SQL("SET LOCAL session_replication_role = replica;") + restored
