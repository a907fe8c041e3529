"""Puts together what a message says."""

from email import policy
from email.message import Message
from email.parser import BytesParser
from typing import Final

from mail.inbound.parsing import authentication, classification, headers, quotes, spam
from mail.inbound.parsing.message import Kind, ParsedMail, Problem
from mail.inbound.parsing.structure import Content, Reader

MAX_TEXT: Final = 1_000_000  # characters in which quotes are looked for
MAX_BOUNDARIES: Final = 2_000
HEADERS_ONLY: Final = 64 * 1024  # bytes, of messages that cannot be read as a whole


def parse(raw: bytes) -> ParsedMail:
    """Return what a message says. It raises nothing that depends on the message."""
    try:
        return _parse(raw)
    except RecursionError:
        return headers_only(raw)


def headers_only(raw: bytes) -> ParsedMail:
    """Return the headers of a message whose body is not read."""
    head = raw[:HEADERS_ONLY].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    message = BytesParser(policy=policy.compat32).parsebytes(head + b"\n\n", headersonly=True)
    return _with_headers(message, Content(), (Problem.UNREADABLE,))


def _parse(raw: bytes) -> ParsedMail:
    # compat32: the default policy parses each header when it is read, slowly, and raises on some broken ones.
    if raw.count(b"boundary=") > MAX_BOUNDARIES:
        return headers_only(raw)
    message = BytesParser(policy=policy.compat32).parsebytes(raw)
    reader = Reader()
    content = reader.read(message)
    return _with_headers(message, content, tuple(sorted(reader.problems)))


def _with_headers(message: Message, content: Content, problems: tuple[Problem, ...]) -> ParsedMail:
    text = content.text
    if len(text) > MAX_TEXT:
        text, problems = text[:MAX_TEXT], (*problems, Problem.CUT)
    subject = headers.text(message, "Subject", 500)
    bounce = classification.bounce_of(message, text)
    kind = classification.kind_of(message, bounce)
    return ParsedMail(
        message_id=headers.message_id(message),
        references=headers.references(message),
        sender=headers.sender(message),
        recipients=headers.recipients(message),
        copied=headers.copied(message),
        subject=subject,
        text=text,
        new_text=text if kind is Kind.BOUNCE else quotes.new_text(text),
        html="<hr>".join(content.html),
        files=tuple(sorted(content.files, key=lambda file: file.is_inline)),
        kind=kind,
        bounce=bounce,
        forwarded=quotes.forwarded(text) if is_forward(subject) else None,
        authentication=authentication.read(message),
        spam_filters=spam.filters(message),
        hops=len(headers.raw_values(message, "Received")),
        problems=problems,
    )


def is_forward(subject: str) -> bool:
    """Return whether a subject says that the message is forwarded."""
    return subject.lower().startswith(("fwd:", "fw:", "wg:", "tr:", "rv:", "i:", "doorst:"))
