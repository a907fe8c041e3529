"""Fetches the messages of a mailbox by IMAP, and waits for new ones with IDLE (RFC 2177).

A message is marked as seen only after it is stored: a crash before that fetches it again, and storing it twice has no
effect. What cannot be stored stays unseen, and is reported at the mailbox.
"""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import close_old_connections
from django.utils import timezone
from imap_tools import (
    BaseMailBox,
    MailBox,
    MailBoxStartTls,
    MailBoxUnencrypted,
    MailMessageFlags,
)

from mail.inbound import storage
from mail.models import Mailbox

logger = logging.getLogger(__name__)

TIMEOUT: Final = 30  # seconds that the server may be silent
IDLE_SECONDS: Final = 60  # until the mailbox is looked through again, whatever the server announced
TOO_LARGE: Final = "A message of %d bytes is larger than MAIL_MAX_BYTES; it stays in the mailbox, flagged."


@contextmanager
def connected(mailbox: Mailbox) -> Iterator[BaseMailBox]:
    """Sign in, and open the inbox. Raises OSError, imaplib.IMAP4.error, imap_tools.ImapToolsError."""
    place = {"host": mailbox.imap_host, "port": mailbox.imap_port, "timeout": TIMEOUT}
    server: BaseMailBox
    match mailbox.imap_security:
        case Mailbox.Security.TLS:
            server = MailBox(**place, ssl_context=ssl.create_default_context())
        case Mailbox.Security.STARTTLS:
            server = MailBoxStartTls(**place, ssl_context=ssl.create_default_context())
        case _:
            server = MailBoxUnencrypted(**place)
    try:
        server.login(mailbox.imap_username, mailbox.imap_password)
        yield server
    finally:
        server.client.shutdown()  # LOGOUT would wait for a server that hangs


def fetch_new(mailbox: Mailbox, server: BaseMailBox) -> int:
    """Store the unseen messages, one at a time, and mark each as seen; return their number."""
    close_old_connections()
    fetched = 0
    for uid in server.uids("UNSEEN UNFLAGGED"):
        if _fetch(mailbox, server, uid):
            fetched += 1
    Mailbox.objects.filter(pk=mailbox.pk).update(imap_checked_at=timezone.now())
    return fetched


def _fetch(mailbox: Mailbox, server: BaseMailBox, uid: str) -> bool:
    raw = _raw(server, uid)
    if raw is None:  # moved or deleted meanwhile
        return False
    try:
        stored = storage.store(raw, mailbox)
    except storage.TooLarge:
        report(mailbox, TOO_LARGE % len(raw))
        server.flag(uid, MailMessageFlags.FLAGGED, True)
        return False
    server.flag(uid, MailMessageFlags.SEEN, True)
    logger.info("message fetched mailbox=%d message=%s bytes=%d", mailbox.pk, stored.pk, len(raw))
    return True


def _raw(server: BaseMailBox, uid: str) -> bytes | None:
    """Return a message as the server has it, without marking it."""
    _status, data = server.client.uid("FETCH", uid, "(BODY.PEEK[])")
    return next((part[1] for part in data if isinstance(part, tuple)), None)


def wait(server: BaseMailBox, seconds: float) -> bool:
    """Return when the server announces a change, or after `seconds`: whether it announced one."""
    return bool(server.idle.wait(timeout=seconds))


def report(mailbox: Mailbox, error: str) -> None:
    """Show admins what is wrong with a mailbox, or with an empty text that nothing is."""
    Mailbox.objects.filter(pk=mailbox.pk).update(imap_error=error[:300])


def is_needed() -> bool:
    """Return whether there is a mailbox to poll."""
    return Mailbox.objects.filter(is_active=True).exclude(imap_host="").exists()
