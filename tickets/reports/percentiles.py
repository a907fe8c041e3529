"""Percentiles of durations, computed by the database."""

from math import ceil, floor
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import Aggregate, DurationField
from django.dispatch import receiver


class Percentile(Aggregate):
    """The duration that a fraction of all durations does not exceed, interpolated; NULLs don't count."""

    function = "TIKM_PERCENTILE"
    template = "%(function)s(%(expressions)s, %(fraction)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=float(fraction), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Use PERCENTILE_CONT, an ordered-set aggregate of PostgreSQL."""
        template = "PERCENTILE_CONT(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
        return super().as_sql(compiler, connection, template=template, **context)


class _SqlitePercentile:
    """The same for SQLite, whose durations are numbers of microseconds."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.fraction = 0.0

    def step(self, value: int | None, fraction: float) -> None:
        """Take the value of a row."""
        self.fraction = fraction
        if value is not None:
            self.values.append(value)

    def finalize(self) -> float | None:
        """Return the percentile of all values."""
        if not self.values:
            return None
        self.values.sort()
        place = (len(self.values) - 1) * self.fraction
        lower, upper = self.values[floor(place)], self.values[ceil(place)]
        return lower + (upper - lower) * (place % 1)


@receiver(connection_created)
def add_to_sqlite(connection: Any, **_: Any) -> None:
    """Teach SQLite the function of `Percentile`."""
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate(Percentile.function, 2, _SqlitePercentile)
