"""Queries that are compiled once and then run with other values: making the SQL costs Django more than running it."""

import secrets
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, UUIDField
from django.db.models.sql.compiler import SQLCompiler

Value = UUID | int | str

LARGEST = 1 << 63  # integers that databases have are below


class Compiled(NamedTuple):
    """A query's SQL, and its parameters: the name of a value and None, or None and a constant."""

    sql: str
    parameters: list[tuple[str | None, Any]]
    compiler: SQLCompiler
    converters: dict[int, Any]

    def rows(self, values: dict[str, Value]) -> list[tuple[Any, ...]]:
        """Run it with these values."""
        given = {name: _adapt(value) for name, value in values.items()}
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [given[name] if name else constant for name, constant in self.parameters])
            rows = cursor.fetchall()
        return list(map(tuple, self.compiler.apply_converters(rows, self.converters))) if self.converters else rows


class Prepared:
    """What `build` makes a query for, run without making it again.

    `build` takes a kind, as positional arguments, and values by name; it returns a queryset of `values_list`. The SQL
    may depend on the kind, of which there are few; the values are keys, given to the database as they are. It is
    made with two sets of stand-ins, and anything but these that differs is an error.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._compiled: dict[tuple[Hashable, ...], Compiled | None] = {}

    def rows(self, *kind: Hashable, **values: Value) -> list[tuple[Any, ...]]:
        """Return the query's rows for these values."""
        if kind not in self._compiled:
            self._compiled[kind] = self._prepare(kind, values)
        compiled = self._compiled[kind]
        return [] if compiled is None or not all(map(_can_be_key, values.values())) else compiled.rows(values)

    def _prepare(self, kind: tuple[Hashable, ...], values: dict[str, Value]) -> Compiled | None:
        """Return the query of a kind; None where it can find nothing, whatever the values."""
        first, second = self._compile(kind, values), self._compile(kind, values)
        if first is not None and (second is None or first[:2] != second[:2]):
            raise ValueError(f"{self._build.__name__} makes another query for other values.")
        return first

    def _compile(self, kind: tuple[Hashable, ...], values: dict[str, Value]) -> Compiled | None:
        stand_ins = {name: _stand_in(value) for name, value in values.items()}
        compiler = self._build(*kind, **stand_ins).query.get_compiler(connection=connection)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        names = {_adapt(value): name for name, value in stand_ins.items()}
        found = [(names.get(each), None if each in names else each) for each in parameters]
        return Compiled(sql, found, compiler, compiler.get_converters([column for column, *_ in compiler.select]))


def _stand_in(value: Value) -> Value:
    """Return a value of the same type that occurs nowhere else."""
    if isinstance(value, UUID):
        return uuid4()
    return secrets.token_hex() if isinstance(value, str) else secrets.randbelow(1 << 62)


def _can_be_key(value: Value) -> bool:
    return not isinstance(value, int) or -LARGEST <= value < LARGEST


def _adapt(value: Value) -> Any:
    """Return what the database takes for a value."""
    return UUIDField().get_db_prep_value(value, connection) if isinstance(value, UUID) else value
