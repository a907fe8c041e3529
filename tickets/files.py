"""Uploads: validation by content, safe names, storage and cleanup."""

import os
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import imagesize
import puremagic
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import throttles
from accounts.models import User
from tickets.models import INLINE_TYPES, Attachment, attachment_storage

# Every type that settings.ATTACHMENT_TYPES may allow, with its file name extensions.
TYPES: dict[str, tuple[str, ...]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/heif": (".heic", ".heif"),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".log", ".csv", ".tsv", ".md", ".json", ".yaml", ".yml", ".ini", ".eml", ".ics", ".diff"),
    "application/zip": (".zip",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (".pptx",),
    "application/vnd.oasis.opendocument.text": (".odt",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    "video/mp4": (".mp4", ".m4v"),
}
ZIP_SIGNATURE = b"PK\x03\x04"
# The folder that identifies a zip file as an Office document (ECMA-376).
OFFICE_FOLDERS = {
    "word": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
TEXT_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
MAX_NAME = 150
MAX_PIXELS = 100_000_000
MAX_UNPACKED = 1024**3  # bytes
MAX_RATIO = 200
MAX_MIMETYPE_PART = 100  # bytes of the `mimetype` part of an OpenDocument
MAX_PENDING = 20  # uploaded and unsent files per user
PENDING_RETENTION = timedelta(days=1)


def store(upload: File[bytes], *, by: User) -> Attachment:
    """Store an uploaded file until `by` sends it. Raises ValidationError."""
    content_type = validated_type(upload)
    name = clean_name(upload.name or "", content_type)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        for old in Attachment.objects.filter(uploader=by, ticket=None).order_by("-created_at")[MAX_PENDING - 1 :]:
            old.delete()
        return Attachment.objects.create(
            uploader=by, filename=name, size=upload.size, content_type=content_type, file=upload
        )


def count_upload(upload: File[bytes], *, by: User) -> None:
    """Count an upload and its bytes against the user's rate limits. Raises Throttled."""
    throttles.count("upload", by=by)
    throttles.count("upload bytes", by=by, cost=upload.size)


def validated_type(upload: File[bytes]) -> str:
    """Return the type of a file by its content, ignoring its name and declared type. Raises ValidationError."""
    if not upload.size:
        raise _error(_("“%(name)s” is empty."), upload)
    if upload.size > settings.ATTACHMENT_MAX_BYTES:
        raise too_large(upload.name or "")
    content_type = _sniff(upload)
    if content_type is None or content_type not in settings.ATTACHMENT_TYPES:
        raise _error(_("“%(name)s”: this file type isn't allowed."), upload)
    if content_type in INLINE_TYPES:
        _validate_image(upload)
    return content_type


def too_large(name: str) -> ValidationError:
    """Return the error for a file that is too large."""
    params = {"name": short_name(name), "most": settings.ATTACHMENT_MAX_BYTES // 1024**2}
    return ValidationError(_("“%(name)s” is larger than %(most)d MB.") % params)


def missing() -> ValidationError:
    """Return the error for a request without a file."""
    return ValidationError(_("No file was sent."))


def too_many() -> ValidationError:
    """Return the error for more than ATTACHMENT_MAX_FILES files."""
    return ValidationError(_("Attach at most %(most)d files.") % {"most": settings.ATTACHMENT_MAX_FILES})


def clean_name(name: str, content_type: str) -> str:
    """Return a name without folders and without control or bidi characters, with an extension of `content_type`."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char if unicodedata.category(char)[0] != "C" else "" for char in last)
    path = PurePath(" ".join(seen.split()).strip(". ") or _("file"))
    endings = TYPES[content_type]
    stem, ending = (path.stem, path.suffix) if path.suffix.lower() in endings else (path.name, endings[0])
    return stem[: MAX_NAME - len(ending)] + ending


def prune() -> int:
    """Delete uploads that were not sent within a day, and stored files without a row. Return their number."""
    old = timezone.now() - PENDING_RETENTION
    pending = list(Attachment.objects.filter(ticket=None, created_at__lt=old))
    for attachment in pending:
        attachment.delete()
    return len(pending) + sum(1 for _name in _prune_orphans(old.timestamp()))


@receiver(post_delete, sender=Attachment)
def delete_stored_file(instance: Attachment, **_: Any) -> None:
    """Delete a deleted attachment's file after commit: a rollback keeps both."""
    name, storage = str(instance.file.name), instance.file.storage
    transaction.on_commit(lambda: storage.delete(name))


def _prune_orphans(before: float) -> Iterator[str]:
    """Delete the files that rolled-back transactions left, and yield their names."""
    storage = attachment_storage()
    root = Path(storage.path(""))
    for folder, _folders, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            name = path.relative_to(root).as_posix()
            if path.stat().st_mtime < before and not Attachment.objects.filter(file=name).exists():
                storage.delete(name)
                yield name


def _sniff(upload: File[bytes]) -> str | None:
    """Return the type of the content, or None for a type that is never accepted."""
    upload.seek(0)
    content = upload.read()
    upload.seek(0)
    if content.startswith(ZIP_SIGNATURE):
        return _zip_type(upload)
    found = _guess_by_magic(content)
    if found in TYPES and found != "text/plain":
        return found
    return "text/plain" if _is_plain_text(content) else None


def _guess_by_magic(content: bytes) -> str | None:
    try:
        return str(puremagic.magic_string(content)[0].mime_type)
    except puremagic.PureError:
        return None


def _is_plain_text(content: bytes) -> bool:
    """Return whether the content is text, but not markup that a browser might render."""
    try:
        text = content.decode(TEXT_BOMS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError:
        return False
    return "\x00" not in text and not text.lstrip().startswith("<")


def _zip_type(upload: File[bytes]) -> str | None:
    """Return the type of a zip file by its directory, without unpacking it. Raises ValidationError for a zip bomb."""
    try:
        with zipfile.ZipFile(upload) as archive:
            sizes = {part.filename: part.file_size for part in archive.infolist()}
            declared = _read_start(archive, "mimetype") if "mimetype" in sizes else ""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return None
    unpacked = sum(sizes.values())
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * (upload.size + 1024**2):
        raise _error(_("“%(name)s” is compressed too much to be opened safely."), upload)
    return _type_of_parts(sizes.keys(), declared)


def _read_start(archive: zipfile.ZipFile, name: str) -> str:
    """Return the first bytes of a part. `zipfile` may unpack more than the declared size when it reads the whole."""
    with archive.open(name) as part:
        return part.read(MAX_MIMETYPE_PART).decode()


def _type_of_parts(names: Collection[str], declared: str) -> str | None:
    """Return the type of a zip file with these parts; `declared` is the `mimetype` part of an OpenDocument."""
    if any(name.endswith("vbaProject.bin") for name in names):
        return None  # macros
    if declared in TYPES:
        return declared
    folders = {name.partition("/")[0] for name in names} if "[Content_Types].xml" in names else set()
    return next((kind for folder, kind in OFFICE_FOLDERS.items() if folder in folders), "application/zip")


def _validate_image(upload: File[bytes]) -> None:
    width, height = _image_size(upload)
    if width <= 0 or height <= 0:
        raise _error(_("“%(name)s” is damaged."), upload)
    if width * height > MAX_PIXELS:
        raise _error(_("“%(name)s” has too many pixels."), upload)


def _image_size(upload: File[bytes]) -> tuple[int, int]:
    upload.seek(0)
    try:
        width, height = imagesize.get(BytesIO(upload.read()))
    except (ValueError, IndexError, struct.error):
        return (0, 0)
    finally:
        upload.seek(0)
    return (width, height)


def _error(message: str, upload: File[bytes]) -> ValidationError:
    return ValidationError(message % {"name": short_name(upload.name or "")})


def short_name(name: str) -> str:
    """Return the first 40 printable characters of a file name, for use in an error message."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:40]
