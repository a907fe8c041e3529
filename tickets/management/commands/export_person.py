"""Export what is known of a person, for their own use."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from tickets.privacy.archive import create_private, write_archive, write_folder
from tickets.privacy.export import export_person
from tickets.privacy.people import find_person
from tickets.signals import person_exported


class Command(BaseCommand):
    """See `help`."""

    help = "Export what is known of a person, as they may read it: JSON documents and their files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the person and the target."""
        parser.add_argument("email", metavar="EMAIL", help="an email address of the person")
        parser.add_argument(
            "--output", metavar="PATH", required=True, help="a new .zip file, or an empty or new folder"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the export, and report where it is."""
        person, target = find_person(options["email"]), Path(options["output"])
        try:
            if target.suffix.lower() == ".zip":
                with create_private(target) as archive:
                    write_archive(archive, export_person(person))
            else:
                _require_empty(target)
                write_folder(target, export_person(person))
        except OSError as error:
            raise CommandError(f"--output is {target}: {error.strerror}.") from error
        person_exported.send(User, person=person)
        self.stdout.write(f"Exported to {target}.")


def _require_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if next(folder.iterdir(), None) is not None:
        raise CommandError(f"--output is {folder}, which is not empty; expected an empty or new folder.")
