"""The mails that a development site wrote to files."""

import base64
import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from django.conf import settings

NAME: Final = re.compile(r"[\w.-]{1,120}")
MAX_LISTED: Final = 200
HEADERS: Final = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")


@dataclass(frozen=True)
class SentMail:
    """A mail that was written to a file."""

    name: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def sender(self) -> str:
        return str(self.message["From"] or "")

    @property
    def recipient(self) -> str:
        return str(self.message["To"] or "")

    @property
    def date(self) -> str:
        return str(self.message["Date"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(self.message[name])) for name in HEADERS if self.message[name]]

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML with its pictures: a browser knows no parts of a mail."""
        html = self._body("html")
        for part in self.message.walk():
            name = str(part["Content-ID"] or "").strip("<>")
            if name and part.get_content_maintype() == "image":
                picture = base64.b64encode(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]
                html = html.replace(f'"cid:{name}"', f'"data:{part.get_content_type()};base64,{picture}"')
        return html

    def _body(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if isinstance(part, EmailMessage) else ""


def sent_mails() -> list[SentMail]:
    """Return the latest mails, newest first."""
    names = sorted((path.stem for path in _folder().glob("*.eml")), reverse=True)
    return [_read(name) for name in names[:MAX_LISTED]]


def find_mail(name: str) -> SentMail | None:
    """Return the mail of a file name without its ending."""
    is_there = NAME.fullmatch(name) and (_folder() / f"{name}.eml").is_file()
    return _read(name) if is_there else None


def _read(name: str) -> SentMail:
    content = (_folder() / f"{name}.eml").read_bytes()
    return SentMail(name, BytesParser(EmailMessage, policy=policy.default).parsebytes(content))


def _folder() -> Path:
    return Path(str(settings.EMAIL_FILE_PATH or "/nonexistent"))  # type: ignore[misc]
