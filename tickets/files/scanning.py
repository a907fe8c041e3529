"""Checks uploads for malware with a command of the operator, before they are stored."""

import logging
import subprocess

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext as _

from tickets.files.types import short_name

logger = logging.getLogger(__name__)

TIMEOUT = 30  # seconds
CLEAN, INFECTED = 0, 1  # exit statuses, as clamdscan has them


def scan(upload: File[bytes]) -> None:
    """Scan an upload, once. Call it outside a transaction, which would stay open as long as the scanner takes.

    The command gets the content as its standard input, never the name, which its sender chooses.
    Raises ValidationError if it is malware, or if that is unknown and ATTACHMENT_SCANNER_FAIL_OPEN is off.
    """
    if not settings.ATTACHMENT_SCANNER or getattr(upload, "is_scanned", False):
        return
    upload.seek(0)
    status = _exit_status(upload.read())
    upload.seek(0)
    params = {"name": short_name(upload.name or "")}
    if status == INFECTED:
        logger.warning("attachment refused by scanner size=%s", upload.size)
        raise ValidationError(_("“%(name)s” was refused because it contains malware.") % params)
    if status != CLEAN and not settings.ATTACHMENT_SCANNER_FAIL_OPEN:
        raise ValidationError(_("“%(name)s” couldn't be checked for malware. Try again later.") % params)
    upload.is_scanned = True  # type: ignore[attr-defined]


def _exit_status(content: bytes) -> int | None:
    """Run the scanner and return its exit status; None if it did not end in time or did not start."""
    command, status = settings.ATTACHMENT_SCANNER, None
    try:
        ended = subprocess.run(command, input=content, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603
        status, words = ended.returncode, (ended.stdout + ended.stderr)[-500:].decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        words = type(error).__name__
    if status not in (CLEAN, INFECTED):
        logger.error("attachment scanner failed status=%s output=%r", status, words)
    return status
