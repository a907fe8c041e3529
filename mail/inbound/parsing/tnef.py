"""The names of the files in a winmail.dat, the format of Exchange and Outlook (MS-OXTNEF).

Only names are read. Each byte is looked at once at most, and only so many values: a message does not decide how
long that takes.
"""

import codecs
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mail.inbound.parsing.charsets import one_line

SIGNATURE: Final = b"\x78\x9f\x3e\x22"
HEADER: Final = 6  # bytes: signature and key
MAX_NAMES: Final = 100
MAX_NAME: Final = 150
MAX_ATTRIBUTES: Final = 5000
MAX_VALUES: Final = 1000  # of the properties of a file
ATTACHMENT: Final = 2  # level of the attributes of files
# Attributes (MS-OXTNEF, 2.1.3.2)
RENDERING, TITLE, PROPERTIES, CODE_PAGE = 0x9002, 0x8010, 0x9005, 0x9007
# Properties of a file, the best name last (MS-OXPROPS)
NAMES: Final = (0x3001, 0x3704, 0x3707)
VARIABLE: Final = {0x0D, 0x1E, 0x1F, 0x102}  # types with a length
UNICODE: Final = 0x1F
MULTIPLE: Final = 0x1000
SIZES: Final = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
NAMED: Final = 0x8000  # ids from here on have a name before their value


@dataclass(frozen=True)
class Attribute:
    """A part of a winmail.dat."""

    level: int
    name: int
    value: bytes


class Cut(Exception):
    """The file ends within a value."""


class Cursor:
    """Reads values one after another."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, length: int) -> bytes:
        """Return the next bytes. Raises Cut."""
        found = self._content[self._at : self._at + length]
        if len(found) != length:
            raise Cut
        self._at += length
        return found

    def number(self, size: int = 4) -> int:
        """Return the next number. Raises Cut."""
        return int.from_bytes(self.take(size), "little")


def file_names(content: bytes) -> tuple[str, ...]:
    """Return the names of the files in a winmail.dat, as far as they can be read."""
    if not content.startswith(SIGNATURE):
        return ()
    names: list[str] = []
    has_properties = True  # of the last file
    code_page = "cp1252"
    for attribute in _attributes(content):
        if attribute.name == CODE_PAGE and len(attribute.value) >= 4:
            code_page = _codec(struct.unpack("<I", attribute.value[:4])[0])
        if attribute.level != ATTACHMENT:
            continue
        if attribute.name == RENDERING:
            if len(names) == MAX_NAMES:
                break
            names.append("")
            has_properties = False
        elif attribute.name == TITLE and names and not has_properties:
            names[-1] = _text(attribute.value, code_page)
        elif attribute.name == PROPERTIES and not has_properties:
            has_properties = True
            names[-1] = _long_name(attribute.value, code_page) or names[-1]
    return tuple(name for name in names if name)


def _attributes(content: bytes) -> Iterator[Attribute]:
    cursor = Cursor(content)
    try:
        cursor.take(HEADER)
        for _ in range(MAX_ATTRIBUTES):
            level, name, _kind, length = cursor.number(1), cursor.number(2), cursor.number(2), cursor.number()
            yield Attribute(level, name, cursor.take(length))
            cursor.take(2)  # a checksum
    except Cut:
        return


def _long_name(properties: bytes, code_page: str) -> str:
    """Return the name that the properties of a file give it; the title before may be a short one (8.3)."""
    found: dict[int, str] = {}
    try:
        for key, kind, value in _properties(properties):
            if key in NAMES:
                found[key] = _text(value, "utf-16-le" if kind == UNICODE else code_page)
    except Cut:
        pass
    return next((found[key] for key in reversed(NAMES) if found.get(key)), "")


def _properties(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield id, type and value of each property; of several values the first. Raises Cut."""
    cursor = Cursor(content)
    left = MAX_VALUES
    for _ in range(cursor.number()):
        kind, key = cursor.number(2), cursor.number(2)
        if key >= NAMED:
            cursor.take(16)
            if cursor.number():
                _sized(cursor)
            else:
                cursor.take(4)
        values = cursor.number() if kind & MULTIPLE or kind in VARIABLE else 1
        plain = kind & ~MULTIPLE
        left -= max(1, values)
        if left < 0 or not (plain in VARIABLE or plain in SIZES):
            raise Cut
        read = [_sized(cursor) if plain in VARIABLE else cursor.take(SIZES[plain]) for _ in range(values)]
        yield key, plain, read[0] if read else b""


def _sized(cursor: Cursor) -> bytes:
    length = cursor.number()
    value = cursor.take(length)
    cursor.take(-length % 4)
    return value


def _text(value: bytes, codec: str) -> str:
    return one_line(value[: 8 * MAX_NAME].decode(codec, "replace").partition("\x00")[0], MAX_NAME)


def _codec(code_page: int) -> str:
    try:
        return codecs.lookup(f"cp{code_page}").name
    except LookupError:
        return "cp1252"
