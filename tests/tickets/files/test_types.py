"""Real files keep their name and type, or are refused with a sentence that says what is accepted."""

import bz2
import io
import lzma
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils import translation

from tests.support.cast import Cast
from tests.tickets.files.test_files import png, signed_in, upload, zipped
from tickets import files
from tickets.files.types import TYPES
from tickets.models import Attachment

OPEN_XML = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF\n"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x0b\x08\x00\x02\x00\x02\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00?\x00\x00\xff\xd9"
)
GIF = (
    b"GIF89a\x02\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    b",\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x02\x84Q\x00;"
)
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x01\x40\x00\x00\x07\x10\xfd\x8f\xfe\x07\x22\xa2"


def iso(major: bytes, *compatible: bytes) -> bytes:
    """Return an ISO base media file with these brands."""
    brands = major + struct.pack(">I", 512) + b"".join(compatible)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\x00\x00\x00\x08mdat"


def ole(*streams: str) -> bytes:
    """Return an OLE compound file with these streams in its directory."""
    names = b"".join(name.encode("utf-16-le").ljust(64, b"\x00") + bytes(64) for name in ("Root Entry", *streams))
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names


def open_xml(folder: str) -> bytes:
    return zipped(**{"[Content_Types].xml": b"<Types/>", f"{folder}__document.xml": b"<x/>"})


def open_document(kind: str) -> bytes:
    return zipped(mimetype=f"{OPEN_DOCUMENT}{kind}".encode(), **{"content.xml": b"<x/>"})


def bmp() -> bytes:
    return b"BM" + struct.pack("<IHHI", 58, 0, 0, 54) + bytes(44)


# name, content, type
ACCEPTED: list[tuple[str, bytes, str]] = [
    ("auth.log", b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n", "text/plain"),
    ("events.xml", b'<?xml version="1.0"?>\n<events><event id="1"/></events>', "text/plain"),
    ("java.log", b"<record><level>SEVERE</level></record>\n", "text/plain"),
    ("notes.txt", b"<-- notes from the call\n", "text/plain"),
    ("todo.txt", b"line of text\nanother line\n", "text/plain"),
    ("story.txt", b"GIF89a is an old format, BM too, and so is II*.\n", "text/plain"),
    ("mz.txt", b"MZ: the postcode of Mainz\n", "text/plain"),
    ("ftyp.txt", b"The ftyp box of an MP4\n", "text/plain"),
    ("pk.txt", b"PK is short for Peter Klein", "text/plain"),
    ("riff.txt", b"RIFF and WAVE are formats", "text/plain"),
    ("pdf.txt", b"A PDF begins with %PDF-1.7\n", "text/plain"),
    ("rtf.txt", b"RTF begins with {\\rtf1\n", "text/plain"),
    ("id3.txt", b"ID3 tags are lost\n", "text/plain"),
    ("prices.csv", "Größe;Preis\nä;1 €\n".encode("cp1252"), "text/plain"),
    ("umlaut.txt", "Grüße aus Köln\n".encode("latin-1"), "text/plain"),
    ("export.csv", "\ufeffName;Ort\n".encode(), "text/plain"),
    ("registry.txt", "Windows Registry\r\n".encode("utf-16"), "text/plain"),
    ("colours.log", b"\x1b[31mERROR\x1b[0m disk full\n", "text/plain"),
    ("data.json", b'{"a": 1}', "text/plain"),
    ("config.yaml", b"a: 1\n", "text/plain"),
    ("readme.md", b"# Title\n\n<b>bold</b>", "text/plain"),
    ("fix.diff", b"--- a\n+++ b\n@@ -1 +1 @@\n", "text/plain"),
    ("mail.eml", b"From: a@example.com\nSubject: Hi\n\n<html>text</html>", "text/plain"),
    ("invite.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/plain"),
    ("jane.vcf", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "text/plain"),
    ("dump.sql", b"SELECT 1;\n", "text/plain"),
    ("backup.sh", b"#!/bin/sh\nls\n", "text/plain"),
    ("tool.py", b"print(1)\n", "text/plain"),
    ("error.log.2", b"old lines\n", "text/plain"),
    ("syslog", b"Oct 11 22:14:15 host\n", "text/plain"),
    ("Makefile", b"all:\n\ttrue\n", "text/plain"),
    ("report.xls", b"name\tprice\nx\t1\n", "text/plain"),
    ("invoice.pdf", PDF, "application/pdf"),
    ("bom.pdf", b"\xef\xbb\xbf" + PDF, "application/pdf"),
    ("blank.pdf", b"\r\n\r\n" + PDF, "application/pdf"),
    ("pjl.pdf", b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n" + PDF, "application/pdf"),
    ("junk.pdf", b"HTTP/1.1 200 OK\r\n\r\n" + bytes(50) + PDF, "application/pdf"),
    ("ascii.pdf", b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n", "application/pdf"),
    ("bill.png", png(), "image/png"),
    ("photo.jpg", JPEG, "image/jpeg"),
    ("PHOTO.JPEG", JPEG, "image/jpeg"),
    ("screenshot.png", JPEG, "image/jpeg"),
    ("IMG_0001.HEIC", JPEG, "image/jpeg"),
    ("anim.gif", GIF, "image/gif"),
    ("sticker.webp", WEBP, "image/webp"),
    ("IMG_1.heic", iso(b"heic", b"mif1", b"heic"), "image/heif"),
    ("IMG_2.heic", iso(b"heix", b"mif1"), "image/heif"),
    ("IMG_3.heic", iso(b"mif1", b"mif1", b"heic"), "image/heif"),
    ("IMG_4.heif", iso(b"msf1", b"hevc"), "image/heif"),
    ("photo.avif", iso(b"avif", b"mif1"), "image/avif"),
    ("photo2.avif", iso(b"mif1", b"avif"), "image/avif"),
    ("scan.tif", b"II*\x00" + bytes(20), "image/tiff"),
    ("scan.tiff", b"MM\x00*" + bytes(20), "image/tiff"),
    ("old.bmp", bmp(), "image/bmp"),
    ("IMG_0042.MOV", iso(b"qt  ", b"qt  "), "video/quicktime"),
    ("old.mov", b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat" + bytes(20), "video/quicktime"),
    ("memo.m4a", iso(b"M4A ", b"isom"), "audio/mp4"),
    ("phone.3gp", iso(b"3gp4", b"isom"), "video/3gpp"),
    ("phone.3g2", iso(b"3g2a"), "video/3gpp"),
    ("a.mp4", iso(b"isom", b"iso2", b"avc1"), "video/mp4"),
    ("b.mp4", iso(b"iso5", b"dash"), "video/mp4"),
    ("c.mp4", iso(b"iso6"), "video/mp4"),
    ("d.mp4", iso(b"avc1"), "video/mp4"),
    ("e.mp4", iso(b"mp42", b"isom"), "video/mp4"),
    ("f.m4v", iso(b"M4V ", b"mp42"), "video/mp4"),
    ("whatsapp.mp4", iso(b"3gp5"), "video/3gpp"),
    ("clip.webm", b"\x1aE\xdf\xa3" + bytes(20), "video/webm"),
    ("voice.mp3", b"ID3\x04\x00\x00" + bytes(20), "audio/mpeg"),
    ("bare.mp3", b"\xff\xfb\x90\x00" + bytes(20), "audio/mpeg"),
    ("voice.wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20), "audio/wav"),
    ("voice.opus", b"OggS\x00\x02" + bytes(20), "audio/ogg"),
    ("voice.amr", b"#!AMR\n" + b"\x04\xff\x00", "audio/amr"),
    ("letter.rtf", b"{\\rtf1\\ansi Dear all}", "application/rtf"),
    ("letter.doc", b"{\\rtf1\\ansi Dear all}", "application/rtf"),
    ("letter.docx", open_xml("word"), f"{OPEN_XML}wordprocessingml.document"),
    ("table.xlsx", open_xml("xl"), f"{OPEN_XML}spreadsheetml.sheet"),
    ("slides.pptx", open_xml("ppt"), f"{OPEN_XML}presentationml.presentation"),
    ("letter.odt", open_document("text"), f"{OPEN_DOCUMENT}text"),
    ("table.ods", open_document("spreadsheet"), f"{OPEN_DOCUMENT}spreadsheet"),
    ("slides.odp", open_document("presentation"), f"{OPEN_DOCUMENT}presentation"),
    ("plan.odg", open_document("graphics"), f"{OPEN_DOCUMENT}graphics"),
    ("old.doc", ole("WordDocument", "1Table"), "application/msword"),
    ("old.xls", ole("Workbook"), "application/vnd.ms-excel"),
    ("older.xls", ole("Book"), "application/vnd.ms-excel"),
    ("old.ppt", ole("PowerPoint Document"), "application/vnd.ms-powerpoint"),
    ("mixed.doc", ole("Workbook", "WordDocument"), "application/msword"),
    ("secret.xlsx", ole("EncryptionInfo", "EncryptedPackage"), f"{OPEN_XML}spreadsheetml.sheet"),
    ("forwarded.msg", ole("__nameid_version1.0", "__properties_version1.0"), "application/vnd.ms-outlook"),
    ("letter.pages", zipped(**{"Index__Document.iwa": b"x"}), "application/vnd.apple.pages"),
    ("sums.numbers", zipped(**{"Index__Document.iwa": b"x"}), "application/vnd.apple.numbers"),
    ("talk.key", zipped(**{"Index.zip": b"x"}), "application/vnd.apple.keynote"),
    ("logs.zip", zipped(a=b"one"), "application/zip"),
    ("nothing.zip", b"PK\x05\x06" + bytes(18), "application/zip"),
    ("book.epub", zipped(mimetype=b"application/epub+zip"), "application/zip"),
    ("tour.kmz", zipped(doc=b"<kml/>"), "application/zip"),
    ("logs.tar.gz", b"\x1f\x8b\x08" + bytes(20), "application/gzip"),
    ("logs.tgz", b"\x1f\x8b\x08" + bytes(20), "application/gzip"),
    ("logs.7z", b"7z\xbc\xaf\x27\x1c" + bytes(26), "application/x-7z-compressed"),
    ("Müller - Rechnung (2).pdf", PDF, "application/pdf"),
    ("请假条.pdf", PDF, "application/pdf"),
]


@pytest.mark.parametrize(("name", "content", "content_type"), ACCEPTED, ids=[name for name, *_ in ACCEPTED])
def test_file_keeps_its_name_and_type(name: str, content: bytes, content_type: str) -> None:
    assert files.validated_type(SimpleUploadedFile(name, content)) == content_type
    assert files.clean_name(name, content_type) == name


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


# A name that does not fit is followed by one that does; nothing that a desktop would execute keeps its name.
RENAMED = [
    ("run.bat", b"@echo off", "run.bat.txt"),
    ("app.jar", zipped(a=b"x"), "app.jar.zip"),
    ("app.js", b"alert(1)", "app.js.txt"),
    ("setup.exe", png(), "setup.exe.png"),
    ("scan", PDF, "scan.pdf"),
    ("scan.docx", PDF, "scan.docx.pdf"),
    ("not-really.docx", zipped(a=b"x"), "not-really.docx.zip"),
    ("photo.png\u202e", png(), "photo.png"),
    ("clip.jpg", iso(b"isom"), "clip.jpg.mp4"),
    ("...", b"text", "file.txt"),
]


@pytest.mark.parametrize(("name", "content", "shown"), RENAMED, ids=[shown for *_, shown in RENAMED])
def test_name_that_does_not_fit_gets_another_extension(name: str, content: bytes, shown: str) -> None:
    assert files.clean_name(name, files.validated_type(SimpleUploadedFile(name, content))) == shown


def with_compression(method: int, damage: int) -> bytes:
    """Return a zip file whose `mimetype` part has damaged content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("mimetype", b"application/vnd.oasis.opendocument.text" * 20)
    content = bytearray(buffer.getvalue())
    content[damage : damage + 12] = b"\xff" * 12
    return bytes(content)


REFUSED = [
    ("setup.exe", b"MZ\x90\x00" + bytes(200)),
    ("holiday.png", b"MZ\x90\x00" + bytes(200)),
    ("exe.pdf", b"MZ\x90\x00" + bytes(100) + PDF),
    ("tool", b"\x7fELF\x02\x01\x01" + bytes(60)),
    ("applet.class", b"\xca\xfe\xba\xbe" + bytes(60)),
    ("drive.iso", bytes(4000)),
    ("page.html", b"<!DOCTYPE html><p>x"),
    ("page.txt", b"\xef\xbb\xbf \n<html><script>alert(1)</script>"),
    ("comment.txt", b"<!-- a --><!-- b --><script>alert(1)</script>"),
    ("page.xml", b'<?xml version="1.0"?><!-- x --><html xmlns="http://www.w3.org/1999/xhtml"/>'),
    ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ("drawing.xml", b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x"><svg/>'),
    ("wide.txt", "<html>".encode("utf-16")),
    ("photo.png", b"only text"),
    ("invoice.pdf", b"404 Not Found"),
    ("movie.mp4", b"text"),
    ("archive.zip", b"PK but not a zip file"),
    ("broken.zip", b"PK\x03\x04" + bytes(30)),
    ("nul.txt", b"a\x00b"),
    ("random.txt", bytes(range(256))),
    ("lzma.odt", with_compression(zipfile.ZIP_LZMA, 45)),
    ("bzip2.odt", with_compression(zipfile.ZIP_BZIP2, 40)),
    ("deflate.odt", with_compression(zipfile.ZIP_DEFLATED, 38)),
    ("truncated.odt", zipped(mimetype=b"application/vnd.oasis.opendocument.text")[:60]),
    ("xz.log.xz", lzma.compress(b"log")),
    ("log.bz2", bz2.compress(b"log")),
    ("unknown.bin", b"\x00\x01\x02\x03" * 9),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "content"), REFUSED, ids=[name for name, _ in REFUSED])
def test_refused_file_says_what_is_accepted(cast: Cast, name: str, content: bytes) -> None:
    page = upload(cast.casey, name, content)
    assert page.status_code == 422
    assert "Accepted: PNG, JPEG" in page.json()["errors"]["file"][0]
    api = signed_in(cast.casey).post("/api/v1/attachments/", {"file": SimpleUploadedFile(name, content)})
    assert api.status_code == 422
    assert "Accepted: PNG, JPEG" in api.json()["errors"][0]["detail"]
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("macros.docm", zipped(**{"[Content_Types].xml": b"", "word__vbaProject.bin": b"x"})),
        ("macros.doc", ole("WordDocument", "_VBA_PROJECT")),
    ],
)
def test_macros_are_refused_with_their_reason(name: str, content: bytes) -> None:
    with pytest.raises(ValidationError, match="contains macros"):
        files.validated_type(SimpleUploadedFile(name, content))


def test_setting_limits_the_types_and_the_sentence() -> None:
    with override_settings(ATTACHMENT_TYPES=["application/pdf", "image/png"]):
        assert files.validated_type(SimpleUploadedFile("a.pdf", PDF)) == "application/pdf"
        with pytest.raises(ValidationError, match=r"Accepted: PNG, PDF\."):
            files.validated_type(SimpleUploadedFile("a.txt", b"text"))


@pytest.mark.django_db
def test_field_says_what_is_accepted_in_the_users_language(cast: Cast) -> None:
    page = signed_in(cast.casey).get("/tickets/new/").text
    assert "Accepted types" in page
    assert "PNG, JPEG, GIF, WebP, HEIC" in page
    with translation.override("de"), pytest.raises(ValidationError, match=r"Erlaubt sind: PNG, JPEG.*, Text, RTF"):
        files.validated_type(SimpleUploadedFile("a.exe", b"MZ\x00\x00"))


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "content", "content_type"), ACCEPTED[::6], ids=[row[0] for row in ACCEPTED[::6]])
def test_download_keeps_name_and_type_and_runs_nothing(
    cast: Cast, name: str, content: bytes, content_type: str
) -> None:
    attachment = files.store(SimpleUploadedFile(name, content), by=cast.casey)
    response: Any = signed_in(cast.casey).get(f"/files/{attachment.pk}/")
    assert response["Content-Type"].partition(";")[0] == content_type
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    response.close()


def test_every_extension_belongs_to_one_type() -> None:
    extensions = [ending for kind in TYPES.values() for ending in kind.extensions]
    assert len(extensions) == len(set(extensions))
