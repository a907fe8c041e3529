"""Files that people send: what they are by their content, what they are called, and where they are kept."""

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

# Every type that may be allowed, with the endings that its names may have.
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
ZIP_MARK = b"PK\x03\x04"
# The folder by which a zip file is known as an Office document (ECMA-376).
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
MAX_MIMETYPE_PART = 100  # bytes of what an OpenDocument says of itself
MAX_PENDING = 20  # files that a person has uploaded and not yet sent
KEPT_PENDING = timedelta(days=1)


def store(upload: File[bytes], *, by: User) -> Attachment:
    """Store an uploaded file for `by` to send; one that is not acceptable is a ValidationError that says why."""
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
    """Count an upload and its bytes as its person's, before anything looks at it."""
    throttles.count("upload", by=by)
    throttles.count("upload bytes", by=by, cost=upload.size)


def validated_type(upload: File[bytes]) -> str:
    """Return the type of a file by its content, never by its name or by what the browser says of it."""
    if not upload.size:
        raise _refusal(_("“%(name)s” is empty."), upload)
    if upload.size > settings.ATTACHMENT_MAX_BYTES:
        raise too_large(upload.name or "")
    content_type = _sniff(upload)
    if content_type is None or content_type not in settings.ATTACHMENT_TYPES:
        raise _refusal(_("“%(name)s”: this file type isn't allowed."), upload)
    if content_type in INLINE_TYPES:
        _refuse_odd_picture(upload)
    return content_type


def too_large(name: str) -> ValidationError:
    """Return what is said of a file of that name that is too large."""
    params = {"name": short_name(name), "most": settings.ATTACHMENT_MAX_BYTES // 1024**2}
    return ValidationError(_("“%(name)s” is larger than %(most)d MB.") % params)


def missing() -> ValidationError:
    """Return what is said where no file came."""
    return ValidationError(_("No file was sent."))


def too_many() -> ValidationError:
    """Return what is said of more files than can be sent at once."""
    return ValidationError(_("Attach at most %(most)d files.") % {"most": settings.ATTACHMENT_MAX_FILES})


def clean_name(name: str, content_type: str) -> str:
    """Return a name without folders, invisible or direction-changing characters, that ends as its content is."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char if unicodedata.category(char)[0] != "C" else "" for char in last)
    path = PurePath(" ".join(seen.split()).strip(". ") or _("file"))
    endings = TYPES[content_type]
    stem, ending = (path.stem, path.suffix) if path.suffix.lower() in endings else (path.name, endings[0])
    return stem[: MAX_NAME - len(ending)] + ending


def prune() -> int:
    """Delete uploads that nobody sent within a day, and stored files that no row names; return how many."""
    old = timezone.now() - KEPT_PENDING
    pending = list(Attachment.objects.filter(ticket=None, created_at__lt=old))
    for attachment in pending:
        attachment.delete()
    return len(pending) + sum(1 for _name in _sweep_strays(old.timestamp()))


@receiver(post_delete, sender=Attachment)
def delete_stored_file(instance: Attachment, **_: Any) -> None:
    """Delete a deleted attachment's file after commit: a rollback keeps both."""
    name, storage = str(instance.file.name), instance.file.storage
    transaction.on_commit(lambda: storage.delete(name))


def _sweep_strays(before: float) -> Iterator[str]:
    """Delete the files that a rolled-back transaction left, and yield their names."""
    storage = attachment_storage()
    root = Path(storage.path(""))
    for folder, _folders, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            name = path.relative_to(root).as_posix()
            if path.stat().st_mtime < before and not Attachment.objects.filter(file=name).exists():
                storage.delete(name)
                yield name


def _sniff(upload: File[bytes]) -> str | None:
    """Return the type that the content shows, or None for one that is never accepted."""
    upload.seek(0)
    content = upload.read()
    upload.seek(0)
    if content.startswith(ZIP_MARK):
        return _kind_of_zip(upload)
    found = _best_guess(content)
    if found in TYPES and found != "text/plain":
        return found
    return "text/plain" if _is_plain_text(content) else None


def _best_guess(content: bytes) -> str | None:
    try:
        return str(puremagic.magic_string(content)[0].mime_type)
    except puremagic.PureError:
        return None


def _is_plain_text(content: bytes) -> bool:
    """Say whether this is text and no markup, which a browser might take for a page."""
    try:
        text = content.decode(TEXT_BOMS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError:
        return False
    return "\x00" not in text and not text.lstrip().startswith("<")


def _kind_of_zip(upload: File[bytes]) -> str | None:
    """Return which kind of zip file this is by its table of contents; nothing is unpacked."""
    try:
        with zipfile.ZipFile(upload) as archive:
            sizes = {part.filename: part.file_size for part in archive.infolist()}
            declared = _beginning(archive, "mimetype") if "mimetype" in sizes else ""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return None
    unpacked = sum(sizes.values())
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * (upload.size + 1024**2):
        raise _refusal(_("“%(name)s” is compressed too much to be opened safely."), upload)
    return _type_of_parts(sizes.keys(), declared)


def _beginning(archive: zipfile.ZipFile, name: str) -> str:
    """Return the first bytes of a part: asked for all of it, `zipfile` unpacks more than it says that it has."""
    with archive.open(name) as part:
        return part.read(MAX_MIMETYPE_PART).decode()


def _type_of_parts(names: Collection[str], declared: str) -> str | None:
    """Return the type of a zip file with these parts; `declared` is what an OpenDocument says of itself."""
    if any(name.endswith("vbaProject.bin") for name in names):
        return None  # macros
    if declared in TYPES:
        return declared
    folders = {name.partition("/")[0] for name in names} if "[Content_Types].xml" in names else set()
    return next((kind for folder, kind in OFFICE_FOLDERS.items() if folder in folders), "application/zip")


def _refuse_odd_picture(upload: File[bytes]) -> None:
    width, height = _pixels(upload)
    if width <= 0 or height <= 0:
        raise _refusal(_("“%(name)s” is damaged."), upload)
    if width * height > MAX_PIXELS:
        raise _refusal(_("“%(name)s” has too many pixels."), upload)


def _pixels(upload: File[bytes]) -> tuple[int, int]:
    upload.seek(0)
    try:
        width, height = imagesize.get(BytesIO(upload.read()))
    except (ValueError, IndexError, struct.error):
        return (0, 0)
    finally:
        upload.seek(0)
    return (width, height)


def _refusal(message: str, upload: File[bytes]) -> ValidationError:
    return ValidationError(message % {"name": short_name(upload.name or "")})


def short_name(name: str) -> str:
    """Return the beginning of the name that was sent, without what could disturb a sentence."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:40]
