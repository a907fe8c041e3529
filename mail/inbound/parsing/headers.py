"""Reads headers as they are found: encoded, 8-bit, broken, or missing."""

import re
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import Any, Final

from mail.inbound.parsing.charsets import decode, one_line
from mail.inbound.parsing.message import Address

MAX_LENGTH: Final = 20_000  # characters of one header that are read
MAX_NAME: Final = 100
MAX_ADDRESSES: Final = 200
MAX_COPIED: Final = 20
MAX_REFERENCES: Final = 50
ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\]{1,255}")
MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,250})>")
ENCODED_WORD: Final = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=")


def raw_values(message: Message, name: str) -> list[str]:
    """Return the values of a header, top to bottom, as they stand in the message."""
    wanted = name.lower()
    return [str(value)[:MAX_LENGTH] for key, value in message.raw_items() if key.lower() == wanted]


def raw_value(message: Message, name: str) -> str:
    """Return the first value of a header; empty if there is none."""
    return next(iter(raw_values(message, name)), "")


def text(message: Message, name: str, most: int = 1000) -> str:
    """Return a header's text in one line."""
    return one_line(decoded(raw_value(message, name)), most)


def decoded(value: str) -> str:
    """Return a header's value with encoded words (RFC 2047) and 8-bit characters decoded."""
    value = unfolded(value)
    if "=?" not in value:
        return value
    # Many programs fold between the bytes of one character, or leave out the space between words.
    value = re.sub(r"\?=\s*=\?", "?= =?", value)
    try:
        parts = decode_header(value)
    except Exception:  # it raises whatever a broken word makes its codecs raise
        return ENCODED_WORD.sub(_word, value)
    return _joined(parts)


def _joined(parts: list[tuple[Any, str | None]]) -> str:
    found: list[tuple[bytes, str | None]] = []
    for content, charset in parts:
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        if found and charset is not None and found[-1][1] == charset:
            data = found.pop()[0] + data
        found.append((data, charset))
    return "".join(decode(data, charset or "utf-8") for data, charset in found)


def _word(match: re.Match[str]) -> str:
    try:
        return _joined(decode_header(match[0]))
    except Exception:
        return match[0]


def unfolded(value: str) -> str:
    """Return a value in one line, whose 8-bit characters, which the parser keeps as surrogates, are decoded."""
    line = re.sub(r"\r?\n[ \t]*", " ", value)
    try:
        line.encode()
    except UnicodeEncodeError:
        return decode(line.encode("utf-8", "surrogateescape"))
    return line


def addresses(values: list[str]) -> list[Address]:
    """Return the addresses in the values of a header."""
    plain = [unfolded(value) for value in values]
    found = _addresses(plain)
    return found or _addresses([decoded(value) for value in plain])  # an encoded word around the address


def _addresses(values: list[str]) -> list[Address]:
    try:
        pairs = getaddresses(values)[:MAX_ADDRESSES]
    except Exception:
        pairs = []
    found = [Address(_name(name), email.lower()) for name, email in pairs if ADDRESS.fullmatch(email)]
    if not found:
        emails = [match[0] for value in values for match in ADDRESS.finditer(value)]
        found = [Address("", email.lower()) for email in emails[:MAX_ADDRESSES]]
    return found


def _name(name: str) -> str:
    return one_line(decoded(name).strip().strip("'\""), MAX_NAME)


def sender(message: Message) -> Address | None:
    """Return who wrote the message: its From, else its Sender, else its Return-Path."""
    for name in ("From", "Sender", "Return-Path"):
        if found := addresses(raw_values(message, name)):
            return found[0]
    return None


def has_one_sender(message: Message) -> bool:
    """Return whether there is one From with one address: of several, each program shows another one."""
    values = raw_values(message, "From")
    return len(values) == 1 and len(addresses(values)) == 1 and len(set(ADDRESS.findall(unfolded(values[0])))) == 1


def recipients(message: Message) -> tuple[str, ...]:
    """Return the addresses that the message went to, as its writer and the mail servers say."""
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "To", "Cc", "Resent-To")
    found = [each.email for name in names for each in addresses(raw_values(message, name))]
    return tuple(dict.fromkeys(found))


def copied(message: Message) -> tuple[Address, ...]:
    """Return the people in copy (Cc), who are to take part."""
    found = {each.email: each for each in reversed(addresses(raw_values(message, "Cc"))[:MAX_COPIED])}
    return tuple(reversed(found.values()))


def message_id(message: Message) -> str:
    """Return the Message-ID without its brackets."""
    return next(iter(message_ids(raw_value(message, "Message-ID"))), "")


def references(message: Message) -> tuple[str, ...]:
    """Return the messages that this one answers, the latest first."""
    found = message_ids(" ".join(raw_values(message, "In-Reply-To")))
    found += reversed(message_ids(" ".join(raw_values(message, "References"))))
    return tuple(dict.fromkeys(found))[:MAX_REFERENCES]


def message_ids(value: str) -> list[str]:
    """Return the message ids in a header."""
    return MESSAGE_ID.findall(re.sub(r"\s+", " ", unfolded(value)))
