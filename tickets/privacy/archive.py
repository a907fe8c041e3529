"""Write an export as a zip archive or into a folder, readable by the owner only."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from accounts.models import User
from tickets.privacy.export import ExportedFile, export_person


def temporary_archive(person: User) -> IO[bytes]:
    """Return the export as an open, unnamed file: an error shows before the first byte is sent."""
    with ExitStack() as on_error:
        archive = on_error.enter_context(tempfile.TemporaryFile())
        write_archive(archive, export_person(person))
        archive.seek(0)
        on_error.pop_all()
    return archive


def archive_name(person: User) -> str:
    """Return the name of the archive, without personal data."""
    return f"person-{person.pk}.zip"


def write_archive(target: IO[bytes], files: Iterable[ExportedFile]) -> None:
    """Write the files as a zip archive, part by part."""
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for file in files:
            with archive.open(file.path, "w", force_zip64=True) as member:
                for part in file.parts:
                    member.write(part)


def write_folder(folder: Path, files: Iterable[ExportedFile]) -> None:
    """Write the files into a folder. Raises FileExistsError rather than overwrite one."""
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with create_private(path) as target:
            for part in file.parts:
                target.write(part)


def create_private(path: Path) -> Any:
    """Open a new file that only its owner may read. Raises FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
