"""Uploads: validation by content, safe names, storage and cleanup."""

import hashlib
import os
import struct
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import imagesize
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Sum
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import throttles
from accounts.models import User
from tickets.files import location, scanning, sniffing
from tickets.files.types import (
    TEXT,
    TYPES,
    accepted,
    allowed_types,
    is_named_like_text,
    is_plausible,
    short_name,
)
from tickets.models import INLINE_TYPES, Attachment, Draft, attachment_storage

MAX_NAME = 150
MAX_PIXELS = 100_000_000
MAX_PENDING = 20  # uploaded and unsent files per user
PENDING_RETENTION = timedelta(days=1)


def store(upload: File[bytes], *, by: User) -> Attachment:
    """Store an uploaded file until `by` sends it. Raises ValidationError."""
    content_type = validated_type(upload)
    name = clean_name(upload.name or "", content_type)
    scanning.scan(upload)
    return _create(_without_location(upload, content_type), name, content_type, by)


def _without_location(upload: File[bytes], content_type: str) -> File[bytes]:
    if not settings.ATTACHMENT_REMOVE_LOCATION or not location.may_have_one(content_type):
        return upload
    return ContentFile(location.remove(upload.read()))


def copy(attachment: Attachment, *, by: User) -> Attachment:
    """Store a copy of a file that was sent, for another message of `by`. Raises ValidationError."""
    with attachment.file.open("rb") as content:
        return _create(content, attachment.filename, attachment.content_type, by)


def _create(content: File[bytes], name: str, content_type: str, by: User) -> Attachment:
    """Store a pending file; the oldest ones beyond MAX_PENDING are deleted. Raises ValidationError."""
    digest = hashlib.sha256()
    for chunk in content.chunks():
        digest.update(chunk)
    content.seek(0)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        for old in Attachment.objects.filter(uploader=by, ticket=None).order_by("-created_at")[MAX_PENDING - 1 :]:
            old.delete()
        _check_quota(by, content.size, name)
        return Attachment.objects.create(
            uploader=by,
            filename=name,
            size=content.size,
            content_type=content_type,
            sha256=digest.hexdigest(),
            file=File(content, name),
        )


def _check_quota(user: User, size: int, name: str) -> None:
    """Raise ValidationError if a customer's files would exceed ATTACHMENT_QUOTA_BYTES. Staff have no quota."""
    quota = settings.ATTACHMENT_QUOTA_BYTES
    if not quota or not user.is_customer:
        return
    used = Attachment.objects.filter(uploader=user).aggregate(total=Sum("size"))["total"] or 0
    if used + size > quota:
        params = {"name": short_name(name), "most": filesizeformat(quota)}
        raise ValidationError(
            _("“%(name)s” can't be added: your files would exceed your limit of %(most)s.") % params
        )


def count_upload(upload: File[bytes], *, by: User) -> None:
    """Count an upload and its bytes against the user's rate limits. Raises Throttled."""
    throttles.count("upload", by=by)
    throttles.count("upload bytes", by=by, cost=upload.size)


def validated_type(upload: File[bytes]) -> str:
    """Return the type of a file by its content, ignoring its declared type. Raises ValidationError."""
    if not upload.size:
        raise _error(_("“%(name)s” is empty."), upload)
    if upload.size > settings.ATTACHMENT_MAX_BYTES:
        raise too_large(upload.name or "")
    upload.seek(0)
    content_type = _detected_type(upload, upload.read())
    upload.seek(0)
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
    """Return the name without folders and without control or bidi characters.

    An extension that does not fit `content_type`, or that a desktop would execute, is followed by one that fits.
    """
    path = _path(name)
    usual = TYPES[content_type].extensions[0]
    if not path.name:
        return _("file") + usual
    fits = is_plausible(path.suffix.lower(), content_type)
    stem, ending = (path.stem, path.suffix) if fits else (path.name, usual)
    return stem[: MAX_NAME - len(ending)] + ending


def _path(name: str) -> PurePath:
    last = name.replace("\\", "/").rpartition("/")[2]
    visible = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    return PurePath(" ".join(visible.split()).strip(". "))


def prune() -> int:
    """Delete uploads that are in no draft and were not sent within a day, and stored files without a row.

    Return their number.
    """
    old = timezone.now() - PENDING_RETENTION
    drafted = {file for files in Draft.objects.exclude(files=[]).values_list("files", flat=True) for file in files}
    pending = [
        file for file in Attachment.objects.filter(ticket=None, created_at__lt=old) if str(file.pk) not in drafted
    ]
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


def _detected_type(upload: File[bytes], content: bytes) -> str:
    """Return the type of the content. Raises ValidationError, which says what is accepted."""
    extension = _path(upload.name or "").suffix.lower()
    try:
        content_type = sniffing.detect(content, extension)
    except sniffing.ZipBomb:
        raise _error(_("“%(name)s” is compressed too much to be opened safely."), upload) from None
    except sniffing.Macros:
        raise _error(_("“%(name)s” contains macros, so it isn't allowed. Save it without macros."), upload) from None
    if content_type is None or content_type not in allowed_types():
        raise _error(_("“%(name)s”: this file type isn't allowed. Accepted: %(accepted)s."), upload)
    if content_type == TEXT and not is_named_like_text(extension):
        raise _error(_("“%(name)s” contains text only, so its name can't be right. Accepted: %(accepted)s."), upload)
    return content_type


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


def _error(message: str, upload: File[bytes], **params: str) -> ValidationError:
    return ValidationError(message % {"name": short_name(upload.name or ""), "accepted": accepted(), **params})
