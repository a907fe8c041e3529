"""Print the effective broadcasting configuration, with secrets masked."""

from argparse import ArgumentParser
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand

from realtime.management.terminal import as_json, table
from realtime.monitoring import effective_config
from realtime.monitoring.effective_config import Entry


class Command(BaseCommand):
    """Prints text that can be shared: it contains no secrets."""

    help = "Print the effective broadcasting configuration: each value and its source, with secrets masked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the sections."""
        sections = [
            (name, list(rows)) for name, rows in groupby(effective_config.entries(), lambda each: each.section)
        ]
        if options["json"]:
            self.stdout.write(as_json({name: _json_fields(rows) for name, rows in sections}, indent=2))
            return
        for number, (name, rows) in enumerate(sections):
            self.stdout.write(("\n" if number else "") + self.style.MIGRATE_HEADING(name.capitalize()))
            for line in table(("name", "value", "source"), map(_cells, rows)):
                self.stdout.write(f"    {line}")
        self.stdout.write("\nTimes are in seconds, sizes in bytes.")


def _json_fields(rows: list[Entry]) -> dict[str, Any]:
    return {row.name: {"value": row.value, "source": row.source} for row in rows}


def _cells(row: Entry) -> tuple[str, str, str]:
    value = ", ".join(map(str, row.value)) if isinstance(row.value, list) else str(row.value)
    return row.name, value or "(empty)", row.source
