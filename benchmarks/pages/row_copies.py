"""Copies the rows of a PostgreSQL database to a migrated SQLite one."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection

BATCH_SIZE = 5000


def copy_to_sqlite(file: Path) -> None:
    """Copy the tables of all models to a migrated file; its triggers fill the indexes of search."""
    tables = set(connection.introspection.table_names())
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA synchronous = OFF")
        models = apps.get_models(include_auto_created=True)
        for model in (model for model in models if model._meta.db_table in tables):
            _copy_table(db, model._meta.db_table, [str(field.column) for field in model._meta.concrete_fields])
        db.execute("ANALYZE")
        db.commit()


def _copy_table(db: sqlite3.Connection, table: str, columns: list[str]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    into = f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})'
    with connection.chunked_cursor() as cursor:
        cursor.execute(f'SELECT {names} FROM "{table}"')
        db.execute(f'DELETE FROM "{table}"')
        while rows := cursor.fetchmany(BATCH_SIZE):
            db.executemany(into, [[_value(value) for value in row] for row in rows])


def _value(value: Any) -> Any:
    """Return the value as Django stores it on SQLite."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return str(value.replace(tzinfo=None))
        case dict() | list():
            return json.dumps(value)
    return value
