"""Find a text wherever the desk stores anything: every column of every table, the stored files, the cache."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from tickets.models import attachment_storage


def places(*texts: str) -> set[str]:
    """Return "table.column" for each column that holds one of the texts, and "files" for the stored files."""
    wanted = [text.casefold() for text in texts]
    found = {place for place, value in _values() if any(text in form for form in _forms(value) for text in wanted)}
    folder = Path(attachment_storage().path(""))
    for path in folder.rglob("*"):
        if path.is_file() and any(text in form for form in _forms(path.read_bytes()) for text in wanted):
            found.add("files")
    return found


def _values() -> Iterator[tuple[str, Any]]:
    """Yield every value of the database. New tables are covered by themselves."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor, include_views=True):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield f"{table}.{column}", value


def _forms(value: Any) -> Iterator[str]:
    """Yield the readable forms of a value: as stored, and what JSON, base64 or a session in it holds."""
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, dict):
        for each in (*value.keys(), *value.values()):
            yield from _forms(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _forms(each)
    elif value is not None:
        yield str(value).casefold()
        if isinstance(value, str):
            yield unquote_plus(value).casefold()
            yield from _decoded(value)


def _decoded(text: str) -> Iterator[str]:
    with suppress(ValueError):
        decoded = json.loads(text)
        if decoded != text and not isinstance(decoded, int | float):
            yield from _forms(decoded)
    with suppress(ValueError):
        yield base64.b64decode(text, validate=True).decode(errors="replace").casefold()
    if text.count(":") == 2:
        yield from _forms(SessionStore().decode(text))
