"""`manage.py receive_mail`: take a message from a mail server's pipe."""

import os
import sys
from argparse import ArgumentParser
from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from mail.inbound import mailboxes, storage
from mail.models import Mailbox

BEGINNINGS: Final = (b"From ", b">From ")  # mbox: what some delivery agents write above the first header


class Command(BaseCommand):
    """Stores the message of the standard input. The exit code is one of sysexits.h."""

    help = (
        "Store a message from standard input; a worker makes a ticket or a reply of it. Exit code 75 asks the mail "
        "server to try again later, 67 says that there is no such mailbox, 65 that the message is empty or too large."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the mailbox."""
        parser.add_argument(
            "--mailbox", metavar="ADDRESS", help="the mailbox that received it (default: the only active one)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Store the message, or end with the exit code that fits."""
        try:
            mailbox = _mailbox(options["mailbox"])
            raw = _read()
            message = storage.store(raw, mailbox)
        except DatabaseError as error:
            _refuse(f"The database is unavailable ({error}); try again later.", os.EX_TEMPFAIL)
        except storage.TooLarge:
            _refuse(f"The message is larger than MAIL_MAX_BYTES ({settings.MAIL_MAX_BYTES}).", os.EX_DATAERR)
        self.stdout.write(f"Stored as {message.pk}.")


def _mailbox(address: str | None) -> Mailbox:
    try:
        return mailboxes.find(address or "")
    except mailboxes.NoMailbox:
        pass
    if address:
        _refuse(f"There is no active mailbox {address}.", os.EX_NOUSER)
    _refuse("Name the mailbox with --mailbox: there is none, or more than one.", os.EX_USAGE)


def _read() -> bytes:
    raw = sys.stdin.buffer.read(settings.MAIL_MAX_BYTES + 4096)
    if raw.startswith(BEGINNINGS):
        raw = raw.partition(b"\n")[2]
    if not raw.strip():
        _refuse("The message is empty.", os.EX_DATAERR)
    return raw


def _refuse(sentence: str, code: int) -> NoReturn:
    raise CommandError(sentence, returncode=code)
