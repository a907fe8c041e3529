"""Where mails go: a mail server, or files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


def _do_nothing() -> None:
    pass


class SMTPBackend(smtp.EmailBackend):
    """Django's, which calls `before_data` once the server has accepted sender and recipients of a mail."""

    before_data: Callable[[], None] = staticmethod(_do_nothing)

    def open(self) -> bool | None:
        """Connect, if that is not done yet."""
        is_new = super().open()
        if is_new and self.connection is not None:
            transmit = self.connection.data

            def data(msg: Any) -> tuple[int, bytes]:
                self.before_data()
                return transmit(msg)

            self.connection.data = data  # type: ignore[method-assign]  # sendmail() calls it
        return is_new


class FileBackend(BaseEmailBackend):
    """Writes each mail to a file of its own, which mail programs open."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the mails to EMAIL_FILE_PATH; their names sort by time."""
        folder = Path(str(settings.EMAIL_FILE_PATH))  # type: ignore[misc]
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{timezone.now():%Y%m%d-%H%M%S-%f}-{uuid4().hex[:8]}"
            draft = folder / f".{name}"
            draft.write_bytes(message.message().as_bytes())
            draft.rename(folder / f"{name}.eml")  # readers find complete files only
        return len(email_messages)
