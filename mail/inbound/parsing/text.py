"""Plain text: its charset, format=flowed (RFC 3676), and signed text (RFC 4880)."""

import re
from email.message import Message
from typing import Any, Final

from mail.inbound.parsing.charsets import clean, decode

QUOTE: Final = re.compile(r"(?:>[ ]?)*>|")
PGP_HEAD: Final = re.compile(r"\A\s*-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]+: .*\n)*\n")
PGP_SIGNATURE: Final = "\n-----BEGIN PGP SIGNATURE-----"


def text_of(part: Message) -> str:
    """Return the text of a text/plain part."""
    text = clean(decode(content_of(part), parameter(part, "charset")))
    if parameter(part, "format").lower() == "flowed":
        text = unflowed(text, delete_space=parameter(part, "delsp").lower() == "yes")
    return without_armor(text)


def content_of(part: Message) -> bytes:
    """Return the decoded content of a part; what its transfer encoding does not explain stays as it is."""
    try:
        content = part.get_payload(decode=True)
    except Exception:
        content = None
    if isinstance(content, bytes):
        return content
    raw: Any = part._payload  # type: ignore[attr-defined]
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def children(part: Message) -> list[Message]:
    """Return the parts in a part; none if it holds text."""
    payload: Any = part._payload  # type: ignore[attr-defined]  # get_payload() raises on some charsets
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def parameter(part: Message, name: str) -> str:
    """Return a parameter of the Content-Type."""
    try:
        value = part.get_param(name, "")
    except Exception:
        return ""
    return str(value[2] if isinstance(value, tuple) else value)


def unflowed(text: str, *, delete_space: bool) -> str:
    """Return the text with its paragraphs in one line each."""
    lines: list[str] = []
    quote_before, is_flowing = "", False
    for line in text.split("\n"):
        quote, rest = _split(line)
        if is_flowing and quote == quote_before and rest != "-- ":
            lines[-1] = (lines[-1][:-1] if delete_space else lines[-1]) + rest
        else:
            lines.append(f"{quote} {rest}" if quote else rest)
        quote_before, is_flowing = quote, rest.endswith(" ") and rest != "-- "
    return "\n".join(lines)


def _split(line: str) -> tuple[str, str]:
    """Return the quote marks of a line, and the rest without a stuffed space."""
    quote = QUOTE.match(line)[0].replace(" ", "")  # type: ignore[index]  # it matches anything
    rest = line[len(QUOTE.match(line)[0]) :]  # type: ignore[index]
    return quote, rest.removeprefix(" ")


def without_armor(text: str) -> str:
    """Return text that is signed by PGP inside the message, without the signature."""
    head = PGP_HEAD.match(text)
    if not head:
        return text
    signed, _mark, _signature = text[head.end() :].partition(PGP_SIGNATURE)
    return re.sub(r"(?m)^- ", "", signed)
