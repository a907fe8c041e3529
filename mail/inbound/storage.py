"""Stores a message as it came, before anything reads it, with the job that processes it."""

import hashlib
import re
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from mail.inbound.tasks import process_received
from mail.models import Mailbox, ReceivedMessage

MAX_HEADER_BYTES: Final = 256 * 1024
# Headers that identify the message. Others change on its way: two copies of it differ in them.
IDENTIFYING: Final = (b"message-id", b"from", b"subject", b"date")


class TooLarge(Exception):
    """The message is larger than settings.MAIL_MAX_BYTES."""


def store(raw: bytes, mailbox: Mailbox) -> ReceivedMessage:
    """Store a message, unless the mailbox has received it before, and return it. Raises TooLarge.

    A message that is received again counts as a copy: same Message-ID and same content. Another content under the
    same Message-ID is another message. Without a Message-ID, only an identical message counts as a copy.
    """
    if len(raw) > settings.MAIL_MAX_BYTES:
        raise TooLarge
    identity = fingerprint(raw)
    known = ReceivedMessage.objects.filter(mailbox=mailbox, fingerprint=identity)
    try:
        with transaction.atomic():
            if known.update(copies=F("copies") + 1):
                return known.defer("raw").get()
            return _create(raw, mailbox, identity)
    except IntegrityError:  # another process stored it at the same time
        known.update(copies=F("copies") + 1)
        return known.defer("raw").get()


def _create(raw: bytes, mailbox: Mailbox, identity: str) -> ReceivedMessage:
    message = ReceivedMessage.objects.create(
        mailbox=mailbox,
        raw=raw,
        size=len(raw),
        fingerprint=identity,
        message_id=message_id(raw)[:255],
    )
    process_received.enqueue(key=str(message.pk), message_id=str(message.pk))
    return message


def fingerprint(raw: bytes) -> str:
    """Return a SHA-256 that two copies of one message share, whatever ways they came."""
    text = raw.replace(b"\r\n", b"\n")
    digest = hashlib.sha256()
    if not message_id(raw):
        digest.update(text)
        return digest.hexdigest()
    head, _separator, body = text.partition(b"\n\n")
    for name in IDENTIFYING:
        digest.update(name + b":" + b"\n".join(_values(head, name)) + b"\n")
    digest.update(body.rstrip())
    return digest.hexdigest()


def message_id(raw: bytes) -> str:
    """Return the Message-ID of a message, or an empty text."""
    head = raw[:MAX_HEADER_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found = _values(head, b"message-id")
    return b" ".join(found[0].split()).decode("utf-8", "replace").replace("\x00", "") if found else ""


def _values(head: bytes, name: bytes) -> list[bytes]:
    """Return the values of a header, with their continuation lines."""
    return re.findall(rb"(?im)^" + re.escape(name) + rb":[ \t]*(\S.*(?:\n[ \t].*)*)", head)
