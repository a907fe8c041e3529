"""The location of pictures and videos is removed on upload; the picture, its orientation and the rest stay.

Pillow writes the pictures and reads them again: an implementation of its own.
"""

import io
import random
import struct
import tracemalloc
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin, TiffImagePlugin

from tests.support.cast import Cast
from tickets import files
from tickets.files import location

ORIENTATION, MAKE, GPS, EXIF = 0x0112, 0x010F, 0x8825, 0x8769
DATE_TAKEN = 0x9003
POSITION = {1: "N", 2: (52.0, 31.0, 12.25), 3: "E", 4: (13.0, 24.0, 17.5), 29: "2026:03:03", 27: b"ASCII\0\0\0GPS"}
XMP = (
    b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description dc:creator="Casey" '
    b'exif:GPSLatitude="52,31.2N" exif:GPSAltitudeRef = \'0\' tiff:Orientation="6">'
    b"<exif:GPSLongitude>13,24.3E</exif:GPSLongitude><loc:GPSTimeStamp/></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)
PLACES = (b"52,31.2N", b"13,24.3E", b"2026:03:03", b"GPSL", b"GPST", b"GPSA", b"ASCII\0\0\0GPS")


def picture() -> Image.Image:
    noise = random.Random(7)  # compresses badly, as photographs do
    return Image.frombytes("RGB", (64, 48), noise.randbytes(64 * 48 * 3))


def exif(position: dict[int, Any] | None = POSITION) -> Image.Exif:
    data = Image.Exif()
    data[ORIENTATION], data[MAKE] = 6, "Camera"
    data.get_ifd(EXIF)[DATE_TAKEN] = "2026:03:02 09:00:00"
    if position:
        data.get_ifd(GPS).update(position)
    return data


def saved(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, kind, **options)
    return buffer.getvalue()


def tiff_directory(position: dict[int, Any] | None) -> TiffImagePlugin.ImageFileDirectory_v2:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[ORIENTATION], directory[MAKE], directory[EXIF] = 6, "Camera", {DATE_TAKEN: "2026:03:02 09:00:00"}
    if position:
        directory[GPS] = position
    return directory


def photographed(kind: str) -> bytes:
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return saved("PNG", exif=exif(), pnginfo=info)
    if kind == "TIFF":
        return saved("TIFF", tiffinfo=tiff_directory(POSITION))
    return saved(kind, exif=exif(), xmp=XMP)


def several_pictures() -> bytes:
    """Return a JPEG with two pictures (MPO), each with its own Exif, as phones write them."""
    buffer = io.BytesIO()
    picture().save(buffer, "MPO", save_all=True, append_images=[picture()], exif=exif())
    second = exif().tobytes()
    return buffer.getvalue() + b"\xff\xd8\xff\xe1" + struct.pack(">H", len(second) + 2) + second + b"\xff\xd9"


def metadata(content: bytes) -> dict[int, Any]:
    """Return the tags, with the directories in full. TIFF keeps its orientation only until it is decoded."""
    found = Image.open(io.BytesIO(content)).getexif()
    return dict(found) | {tag: found.get_ifd(tag) for tag in (EXIF, GPS) if tag in found}


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).tobytes()


KINDS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]


@pytest.mark.parametrize("kind", KINDS)
def test_location_is_removed_and_the_rest_stays(kind: str) -> None:
    content = photographed(kind)
    before, removed = metadata(content), location.remove(content)
    assert before.pop(GPS), "positive control"
    assert before[ORIENTATION] == 6
    assert len(removed) == len(content)
    assert pixels(removed) == pixels(content)
    assert metadata(removed) == before
    assert not [place for place in PLACES if place in removed]
    if kind != "TIFF":
        assert b'dc:creator="Casey"' in removed
        assert b'tiff:Orientation="6"' in removed


@pytest.mark.parametrize("kind", KINDS)
def test_picture_without_a_location_is_unchanged(kind: str) -> None:
    content = saved(kind, exif=exif(None))
    assert location.remove(content) == content


@pytest.mark.parametrize("kind", KINDS)
def test_removing_twice_is_removing_once(kind: str) -> None:
    removed = location.remove(photographed(kind))
    assert location.remove(removed) == removed


def test_every_picture_of_a_file_loses_its_location() -> None:
    removed = location.remove(several_pictures())
    assert not [place for place in PLACES if place in removed]
    assert Image.open(io.BytesIO(removed)).getexif()[ORIENTATION] == 6


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_pointer_in_any_place_and_byte_order_is_removed(order: str, place: str) -> None:
    orientation = struct.pack(f"{order}HHIHH", ORIENTATION, 3, 1, 6, 0)
    end = 8 + 2 + 24 + 4
    pointer = struct.pack(f"{order}HHII", GPS, 4, 1, end)
    entries = pointer + orientation if place == "first" else orientation + pointer
    header = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}I", 8)
    gps = struct.pack(f"{order}HHHI4sI", 1, 1, 2, 2, b"N\0\0\0", 0)
    content = header + struct.pack(f"{order}H", 2) + entries + struct.pack(f"{order}I", 0) + gps
    data = Image.Exif()
    data.load(b"Exif\0\0" + content)
    assert dict(data.get_ifd(GPS)) == {1: "N"}, "positive control"
    data = Image.Exif()
    data.load(b"Exif\0\0" + location.remove(content))
    assert dict(data) == {ORIENTATION: 6}


def png_with(kind: bytes, data: bytes) -> bytes:
    whole, chunk = saved("PNG"), struct.pack(">I", len(data)) + kind + data
    return whole[:33] + chunk + struct.pack(">I", zlib.crc32(kind + data)) + whole[33:]


def raw_profile(content: bytes) -> bytes:
    digits = content.hex().encode()
    lines = b"\n".join(digits[place : place + 72] for place in range(0, len(digits), 72))
    return b"\nexif\n%8d\n" % len(content) + lines + b"\n"


PACKED = {
    "compressed XMP": lambda xmp, _exif: (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)),
    "raw profile": lambda _xmp, data: (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(data))),
    "raw profile as text": lambda _xmp, data: (b"tEXt", b"Raw profile type APP1\0" + raw_profile(data)),
}


@pytest.mark.parametrize("how", PACKED)
def test_packed_chunk_of_a_png_with_a_location_is_removed(how: str) -> None:
    removed = location.remove(png_with(*PACKED[how](XMP, exif().tobytes())))
    assert removed == saved("PNG")


@pytest.mark.parametrize("how", PACKED)
def test_packed_chunk_of_a_png_without_a_location_stays(how: str) -> None:
    content = png_with(*PACKED[how](b"<x:xmpmeta></x:xmpmeta>", exif(None).tobytes()))
    assert location.remove(content) == content


def test_packed_chunk_that_unpacks_to_a_gigabyte_is_bounded() -> None:
    bomb = zlib.compress(bytes(64 * 1024**2))
    content = png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)
    tracemalloc.start()
    location.remove(content)
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    tracemalloc.stop()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def movie(*parts: bytes) -> bytes:
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", b"".join(parts)) + box(b"mdat", b"\x01" * 500)


POINT = b"+52.5200+013.4049+034.000/"
KEY = b"com.apple.quicktime.location.ISO6709"
MOVIES = {
    "Android MP4": movie(box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(POINT), 0x15C7) + POINT))),
    "iPhone MOV": movie(
        box(
            b"meta",
            box(b"keys", bytes(4) + struct.pack(">I", 1) + box(b"mdta", KEY))
            + box(b"ilst", box(b"\0\0\0\1", box(b"data", struct.pack(">II", 1, 0) + POINT))),
        )
    ),
    "3GPP": movie(
        box(b"udta", box(b"loci", bytes(4) + b"\x15\xc7Berlin\0\0" + struct.pack(">iii", 1, 2, 3) + b"\0\0"))
    ),
    "motion photo": photographed("JPEG")
    + movie(box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(POINT), 0x15C7) + POINT))),
}  # fmt: skip


@pytest.mark.parametrize("kind", MOVIES)
def test_location_of_a_video_is_removed_in_place(kind: str) -> None:
    removed = location.remove(MOVIES[kind])
    assert len(removed) == len(MOVIES[kind])
    assert not [place for place in (b"+52.52", b"Berlin", b"\xa9xyz", b"loci") if place in removed]
    assert removed.endswith(box(b"mdat", b"\x01" * 500))


@pytest.mark.parametrize("text", [b"+49 30 1234567", b"Track +12", b"-5"])
def test_other_items_of_a_video_stay(text: bytes) -> None:
    item = box(b"ilst", box(b"\xa9cmt", box(b"data", struct.pack(">II", 1, 0) + text)))
    content = movie(box(b"udta", box(b"meta", bytes(4) + item)))
    assert location.remove(content) == content


@pytest.mark.parametrize("kind", [*KINDS, "MPO"])
def test_damaged_pictures_are_kept_at_their_length(kind: str) -> None:
    content = several_pictures() if kind == "MPO" else photographed(kind)
    chance = random.Random(11)
    for _ in range(200):
        damaged = bytearray(content[: chance.randrange(1, len(content))])
        for _ in range(chance.randrange(8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        location.remove(bytes(damaged))


HOSTILE = {
    "headers": b"II*\x00\x08\x00\x00\x00\x00\x00" * 200_000,
    "directories that end nowhere": (b"II*\x00\x08\x00\x00\x00" + b"\xff\xff" + bytes(65_535 * 12)) * 3,
    "a directory that follows itself": b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00" * 100_000,
    "GPS directories that overlap": struct.pack("<4sIHHHII", b"II*\0", 8, 1, GPS, 4, 1, 8) * 100_000,
    "packets without an end": b"<x:xmpmeta <rdf:RDF " * 100_000,
    "attributes without an end": b"<x:xmpmeta>" + b"a:GPSb=\"c:GPSd='" * 100_000 + b"</x:xmpmeta>",
    "elements without an end": b"<x:xmpmeta>" + b"<a:GPSb >" * 100_000 + b"</x:xmpmeta>",
    "boxes": (b"\0\0\3\xffloci" + bytes(4)) * 100_000,
    "chunks": b"\x89PNG\r\n\x1a\n" + (bytes(4) + b"eXIf" + bytes(4)) * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_take_bounded_steps(kind: str) -> None:
    """A quadratic search would take minutes for each of these."""
    location.remove(HOSTILE[kind])


@pytest.mark.django_db
@pytest.mark.parametrize("removes", [True, False])
def test_setting_decides_on_upload(cast: Cast, settings: Any, removes: bool) -> None:
    settings.ATTACHMENT_REMOVE_LOCATION = removes
    content = photographed("JPEG")
    stored = files.store(SimpleUploadedFile("IMG_0001.JPG", content), by=cast.casey)
    with stored.file.open("rb") as opened:
        read = opened.read()
    assert read == (location.remove(content) if removes else content)
    assert (stored.filename, stored.size) == ("IMG_0001.JPG", len(read))


@pytest.mark.django_db
def test_text_that_looks_like_a_location_is_unchanged(cast: Cast) -> None:
    stored = files.store(SimpleUploadedFile("photo.xml", XMP), by=cast.casey)
    with stored.file.open("rb") as opened:
        assert opened.read() == XMP
