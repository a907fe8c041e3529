"""Restores the database between tests while the servers run, which is faster than a restart."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

# The servers keep their own reports; the event log is empty for the next test.
LEFT_ALONE = "realtime_"
LOG = ("realtime_receipt", "realtime_delivery", "realtime_broadcast")


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
        found = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = [Identifier(name) for (name,) in found if not name.startswith(LEFT_ALONE)]
        db.execute("CREATE SCHEMA staged")
        for table in tables:
            db.execute(SQL("CREATE TABLE staged.{0} AS TABLE public.{0}").format(table))

    def put_back() -> None:
        with psycopg.connect(database) as db:
            db.execute("SET session_replication_role = replica")  # rows go and come in any order
            for table in tables:
                db.execute(SQL("DELETE FROM public.{0}").format(table))
                db.execute(SQL("INSERT INTO public.{0} SELECT * FROM staged.{0}").format(table))
            for name in LOG:
                db.execute(SQL("DELETE FROM public.{0}").format(Identifier(name)))

    return put_back
