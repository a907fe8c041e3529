"""Removes where a picture or video was taken, without encoding it again: what says so is overwritten in place.

No byte moves, so that no offset in the file breaks, whatever the format: Exif is found by its TIFF header (in JPEG,
PNG, WebP, HEIC, AVIF and TIFF, in previews and in the further pictures of one file), XMP by its packet, and the place
of a video by its box. Only chunks of PNG that have to be unpacked are removed as a whole.
What cannot be read is left as it is: cameras write more than any reader understands.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

GPS_POINTER = 0x8825  # Exif 3.0, 4.6.3
MAX_GPS_ENTRIES = 100
MAX_GPS_VALUE = 65_536  # bytes
# Exif types and their size in bytes.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
POINTER_TYPES = (4, 13)
# Bounds for files that are made to be slow: beyond, the rest is left as it is.
MAX_HEADERS = 2000
MAX_ENTRIES = 200_000
MAX_DIRECTORIES = 20  # in one TIFF structure
MAX_UNPACKED = 1024**2  # bytes of a chunk of PNG

TIFF_HEADER = re.compile(rb"II\*\x00|MM\x00\*")
XMP_PACKETS = ((b"<x:xmpmeta", b"</x:xmpmeta"), (b"<rdf:RDF", b"</rdf:RDF"))
XMP_GPS = re.compile(
    rb"""[\w.-]{1,40}:GPS\w{1,40}\s*=\s*(?:"[^"<]*"|'[^'<]*')"""  # an attribute
    rb"""|<([\w.-]{1,40}:GPS\w{1,40})(?:\s[^<>]*)?(?:/>|>[^<]*</\1\s*>)"""  # an element
)
# ISO 6709, as in the user data of QuickTime and MP4, and in the item list of iPhones.
POINT = rb"[+-]\d{2,6}(?:\.\d*)?[+-]\d{3,7}(?:\.\d*)?(?:[+-]\d+(?:\.\d*)?)?(?:CRS\w*)?/?"
VIDEO_BOX = re.compile(rb"\x00\x00\x00[\x10-\xff]\xa9xyz....[+-]\d", re.DOTALL)
VIDEO_KEY = b"com.apple.quicktime.location.ISO6709"
VIDEO_ITEM = re.compile(rb"data\x00\x00\x00\x01....(" + POINT + rb")", re.DOTALL)
LOCATION_BOX = re.compile(rb"\x00\x00[\x00-\x03].loci\x00\x00\x00\x00", re.DOTALL)  # 3GPP TS 26.244, 8.9

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHANGED = (b"eXIf", b"iTXt", b"tEXt")  # chunks whose checksum may have to be renewed
PNG_PACKED = re.compile(
    rb"XML:com\.adobe\.xmp\x00\x01\x00[^\x00]*\x00[^\x00]*\x00|Raw profile type [^\x00]{1,40}\x00"
)


def may_have_one(content_type: str) -> bool:
    """Return whether files of this type can say where they were made."""
    return content_type.startswith(("image/", "video/", "audio/mp4"))


def remove(content: bytes) -> bytes:
    """Return the content of a picture or video without its location."""
    changed = bytearray(content)
    _blank_all(changed)
    return bytes(_renewed_png(changed)) if changed.startswith(PNG_SIGNATURE) else bytes(changed)


def _blank_all(content: bytearray) -> bool:
    """Blank every location; return whether there was one."""
    before = bytes(content)
    _blank_exif(content)
    _blank_xmp(content)
    _blank_video(content)
    return content != before


# Exif


class Entry(NamedTuple):
    """One entry of a TIFF directory: `place` is where it begins, `value` where its value does."""

    place: int
    tag: int
    kind: int
    length: int
    value: int

    @property
    def size(self) -> int:
        return SIZES.get(self.kind, 1) * self.length


class Exif:
    """A TIFF structure in a file. Its offsets count from `start`."""

    def __init__(self, content: bytearray, start: int, entries_read: int) -> None:
        self.content, self.start, self.entries_read = content, start, entries_read
        self.order = "<" if content[start : start + 1] == b"I" else ">"

    def number(self, place: int, size: int) -> int:
        """Return an unsigned integer. Raises struct.error outside the file."""
        return int(struct.unpack_from(self.order + {2: "H", 4: "I"}[size], self.content, place)[0])

    def entries(self, directory: int) -> list[Entry]:
        """Return the entries of a directory. Raises struct.error."""
        count = self.number(directory, 2)
        self.entries_read += count + 1
        if self.entries_read > MAX_ENTRIES:
            raise struct.error
        return [self._entry(directory + 2 + 12 * number) for number in range(count)]

    def _entry(self, place: int) -> Entry:
        tag, kind, count, offset = struct.unpack_from(self.order + "HHII", self.content, place)
        is_inside = SIZES.get(kind, 1) * count <= 4
        return Entry(place, tag, kind, count, place + 8 if is_inside else self.start + offset)

    def directories(self) -> Iterator[int]:
        """Yield the place of each directory of the chain: the picture, its preview, further pages."""
        offset = self.number(self.start + 4, 4)
        for _number in range(MAX_DIRECTORIES):
            if offset < 8:
                return
            directory = self.start + offset
            yield directory
            offset = self.number(directory + 2 + 12 * self.number(directory, 2), 4)

    def blank_gps(self) -> None:
        """Remove the GPS directory, with its values and the pointer to it. Raises struct.error."""
        for directory in self.directories():
            for entry in self.entries(directory):
                if entry.tag == GPS_POINTER and entry.kind in POINTER_TYPES and entry.length == 1:
                    gps = self.start + self.number(entry.value, 4)
                    self._remove_entry(directory, entry)
                    self._blank_directory(gps)
                    break

    def _blank_directory(self, directory: int) -> None:
        entries = self.entries(directory)
        if len(entries) > MAX_GPS_ENTRIES:
            return
        for entry in entries:
            if entry.size <= MAX_GPS_VALUE and entry.value + entry.size <= len(self.content):
                self.content[entry.value : entry.value + entry.size] = bytes(entry.size)
        end = directory + 2 + 12 * len(entries) + 4
        self.content[directory:end] = bytes(len(self.content[directory:end]))

    def _remove_entry(self, directory: int, entry: Entry) -> None:
        """Move the following entries, and the offset of the next directory, into the place of this one."""
        count = self.number(directory, 2)
        end = directory + 2 + 12 * count + 4
        following = self.content[entry.place + 12 : end]
        self.content[entry.place : end] = following + bytes(12)
        struct.pack_into(self.order + "H", self.content, directory, count - 1)


def _blank_exif(content: bytearray) -> None:
    entries_read = 0
    for header in list(islice(TIFF_HEADER.finditer(content), MAX_HEADERS)):
        exif = Exif(content, header.start(), entries_read)
        with suppress(struct.error):
            exif.blank_gps()
        entries_read = exif.entries_read


# XMP


def _blank_xmp(content: bytearray) -> None:
    """Overwrite the attributes and elements of XMP that begin with GPS by spaces (Exif for XMP, CIPA DC-010)."""
    for start, end in _xmp_packets(content):
        for found in list(XMP_GPS.finditer(content, start, end)):
            _overwrite(content, found.start(), found.end(), b" ")


def _xmp_packets(content: bytearray) -> Iterator[tuple[int, int]]:
    for first, last in XMP_PACKETS:
        start = content.find(first)
        while start >= 0 and (end := content.find(last, start)) >= 0:
            yield start, end
            start = content.find(first, end)


# Video


def _blank_video(content: bytearray) -> None:
    """Turn the boxes of a location into free space, and blank the text of an item."""
    boxes = [found.start() for pattern in (VIDEO_BOX, LOCATION_BOX) for found in pattern.finditer(content)]
    for start in boxes:
        end = start + int.from_bytes(content[start : start + 4], "big")
        content[start + 4 : start + 8] = b"free"
        _overwrite(content, start + 8, min(end, len(content)), b"\x00")
    items = list(VIDEO_ITEM.finditer(content)) if VIDEO_KEY in content else []
    for found in items:
        _overwrite(content, found.start(1), found.end(1), b" ")


def _overwrite(content: bytearray, start: int, end: int, by: bytes) -> None:
    content[start:end] = by * len(content[start:end])


# PNG


def _renewed_png(content: bytearray) -> bytearray:
    """Return the PNG with the checksums of changed chunks, and without packed chunks that hold a location."""
    place, kept = len(PNG_SIGNATURE), bytearray(PNG_SIGNATURE)
    while place + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + size
        chunk = content[place:end]
        if len(chunk) < 12 + size:
            break
        if kind in PNG_CHANGED:
            chunk[-4:] = struct.pack(">I", zlib.crc32(chunk[4:-4]))
        if not (kind in (b"iTXt", b"zTXt", b"tEXt") and _has_packed_location(bytes(chunk[8:-4]), kind)):
            kept += chunk
        place = end
    return kept + content[place:]


def _has_packed_location(data: bytes, kind: bytes) -> bool:
    """Return whether a chunk holds compressed XMP, or Exif or XMP as hexadecimal text, with a location."""
    header = PNG_PACKED.match(data)
    if header is None:
        return False
    text = data[header.end() :]
    if kind != b"tEXt":
        try:
            text = zlib.decompressobj().decompress(
                text.removeprefix(b"\x00" if kind == b"zTXt" else b""), MAX_UNPACKED
            )
        except zlib.error:
            return True
    if data.startswith(b"Raw profile"):
        # A line break, the name, the length, and the content in lines of hexadecimal digits.
        digits = re.sub(rb"\A\s*\w+\s+\d+\s|\s", b"", text)
        text = bytes.fromhex(digits[: len(digits) // 2 * 2].decode("latin-1")) if digits.isalnum() else b""
    return _blank_all(bytearray(text))
