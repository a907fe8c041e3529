"""The type of a file, by its content; where a content has several types, such as old Office files, also by its name.

General detectors take a text that begins "line of text" for a document, and a new brand of MP4 for nothing: each
accepted type has one explicit rule here.
"""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Collection
from io import BytesIO

from tickets.files.types import BY_EXTENSION, OPEN_DOCUMENT, OPEN_XML, TEXT, TYPES, ZIP

MAX_UNPACKED = 1024**3  # bytes
MAX_RATIO = 200
MAX_MIMETYPE_PART = 100  # bytes of the `mimetype` part of an OpenDocument
PDF_HEADER_WITHIN = 1024  # bytes (ISO 32000-1, implementation note 13)

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")  # the second one begins an empty zip file
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES: dict[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"\x1f\x8b\x08": "application/gzip",
    b"7z\xbc\xaf\x27\x1c": "application/x-7z-compressed",
    b"\x1aE\xdf\xa3": "video/webm",
    b"ID3": "audio/mpeg",
    b"OggS": "audio/ogg",
    b"#!AMR": "audio/amr",
}
RIFF_FORMS = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
# The parts or folders that identify a zip file as an Office document (ECMA-376).
OFFICE_FOLDERS = {
    "word": f"{OPEN_XML}wordprocessingml.document",
    "xl": f"{OPEN_XML}spreadsheetml.sheet",
    "ppt": f"{OPEN_XML}presentationml.presentation",
}
APPLE_PARTS = ("Index/Document.iwa", "Index.zip", "index.xml", "index.apxl")
# The streams that identify an OLE compound file (MS-CFB); an encrypted one is named after what is in it.
OLE_STREAMS = {
    "__properties_version1.0": "application/vnd.ms-outlook",
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
ENCRYPTED_STREAM, MACRO_STREAM = "EncryptedPackage", "_VBA_PROJECT"
# ISO base media files: the brands that are not MP4 (mp4ra.org).
BRANDS = {
    "image/avif": re.compile(rb"avi[fs]"),
    "image/heif": re.compile(rb"hei[cxms]|hev[cxms]|mi[fa]1|msf1"),
    "video/quicktime": re.compile(rb"qt  "),
    "audio/mp4": re.compile(rb"M4[ABP] "),
    "video/3gpp": re.compile(rb"3[gs][2-9a-z].|3ge."),
}
QUICKTIME_BOXES = (b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free")
# The start of a document that a browser renders or executes, after comments and XML declarations.
MARKUP = re.compile(r"<!doctype\s+(?:html|svg)|<(?:html|head|body|script|iframe|svg|style)[\s/>]", re.IGNORECASE)
BEFORE_MARKUP = {"<?": "?>", "<!--": "-->"}
MARKUP_WITHIN = 4096  # characters
TEXT_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, IndexError, NotImplementedError, OSError, RuntimeError, ValueError),
)


class ZipBomb(Exception):
    """A zip file unpacks to too much."""


class Macros(Exception):
    """An Office document contains macros."""


def detect(content: bytes, extension: str) -> str | None:
    """Return the type of a file, or None for a type that is never accepted. Raises ZipBomb, Macros."""
    if content.startswith(ZIP_SIGNATURES):
        return _zip_type(content, extension)
    if content.startswith(OLE_SIGNATURE):
        return _ole_type(content, extension)
    text = _text_of(content, extension)
    if text is not None:
        return _type_of_text(text, content, extension)
    return _binary_type(content, extension)


def _text_of(content: bytes, extension: str) -> str | None:
    """Return the text of UTF-8 and UTF-16, and of 8-bit code pages under a text's name; None for other content."""
    try:
        text = content.decode(TEXT_BOMS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError:
        is_named_text = BY_EXTENSION.get(extension, TEXT) == TEXT
        return content.decode("latin-1") if is_named_text and not CONTROL.search(content) else None
    return None if "\x00" in text else text


def _type_of_text(text: str, content: bytes, extension: str) -> str | None:
    if _is_pdf(content, extension):
        return "application/pdf"
    if text.startswith("{\\rtf"):
        return "application/rtf"
    return None if _is_markup(text) else TEXT


def _is_markup(text: str) -> bool:
    start = text[:MARKUP_WITHIN].lstrip()
    while ending := next((end for begin, end in BEFORE_MARKUP.items() if start.startswith(begin)), None):
        start = start.partition(ending)[2].lstrip()
    return MARKUP.match(start) is not None


def _is_pdf(content: bytes, extension: str) -> bool:
    """Return whether it is a PDF: readers accept bytes before the header, such as a BOM or printer commands."""
    start = content[:PDF_HEADER_WITHIN]
    if start.lstrip(b"\xef\xbb\xbf\x00 \t\r\n").startswith(b"%PDF-") or start.startswith(b"\x1b%-12345X"):
        return b"%PDF-" in start
    return extension == ".pdf" and b"%PDF-" in start and not start.startswith((b"MZ", b"\x7fELF"))


def _binary_type(content: bytes, extension: str) -> str | None:
    if _is_pdf(content, extension):
        return "application/pdf"
    if content[4:8] == b"ftyp":
        return _brand_type(content)
    if content[4:8] in QUICKTIME_BOXES and extension in TYPES["video/quicktime"].extensions:
        return "video/quicktime"
    if content.startswith(b"RIFF"):
        return RIFF_FORMS.get(content[8:12])
    kind = next((kind for start, kind in SIGNATURES.items() if content.startswith(start)), None)
    return kind or _type_of_short_signature(content, extension)


def _type_of_short_signature(content: bytes, extension: str) -> str | None:
    """Return the type of formats whose signature is so short that it needs further evidence."""
    if content.startswith(b"BM") and content[6:10] == bytes(4):
        return "image/bmp"
    is_frame = content.startswith((b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"))
    return "audio/mpeg" if is_frame and extension == ".mp3" else None


def _brand_type(content: bytes) -> str:
    """Return the type of an ISO base media file by its `ftyp` box: the major brand, then compatible ones."""
    size = min(max(int.from_bytes(content[:4], "big"), 16), 256)
    major, compatible = content[8:12], content[16:size]
    brands = [compatible[place : place + 4] for place in range(0, len(compatible), 4)]
    if major in (b"mif1", b"msf1") and any(BRANDS["image/avif"].fullmatch(brand) for brand in brands):
        return "image/avif"
    return next((kind for kind, brand in BRANDS.items() if brand.fullmatch(major)), "video/mp4")


def _ole_type(content: bytes, extension: str) -> str | None:
    """Return the type of an OLE file by the names of its streams. The name distinguishes a file in a file."""

    def contains(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    found = [kind for stream, kind in OLE_STREAMS.items() if contains(stream)]
    named = BY_EXTENSION.get(extension)
    if "application/vnd.ms-outlook" not in found and contains(MACRO_STREAM):
        raise Macros
    if contains(ENCRYPTED_STREAM) and named in OFFICE_FOLDERS.values():
        return named
    return named if named in found else next(iter(found), None)


def _zip_type(content: bytes, extension: str) -> str | None:
    """Return the type of a zip file by its directory, without unpacking it. Raises ZipBomb, Macros."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            sizes = {part.filename: part.file_size for part in archive.infolist()}
            declared = _read_start(archive, "mimetype") if "mimetype" in sizes else ""
    except DAMAGED:
        return None
    unpacked = sum(sizes.values())
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * (len(content) + 1024**2):
        raise ZipBomb
    return _type_of_parts(sizes.keys(), declared, extension)


def _read_start(archive: zipfile.ZipFile, name: str) -> str:
    """Return the first bytes of a part. `zipfile` may unpack more than the declared size when it reads the whole."""
    with archive.open(name) as part:
        return part.read(MAX_MIMETYPE_PART).decode()


def _type_of_parts(names: Collection[str], declared: str, extension: str) -> str:
    """Return the type of a zip file with these parts; `declared` is the `mimetype` part of an OpenDocument."""
    if any(name.endswith("vbaProject.bin") for name in names):
        raise Macros
    if declared.startswith(OPEN_DOCUMENT) and declared in TYPES:
        return declared
    named = BY_EXTENSION.get(extension, "")
    if named.startswith("application/vnd.apple.") and any(part in names for part in APPLE_PARTS):
        return named
    folders = {name.partition("/")[0] for name in names} if "[Content_Types].xml" in names else set()
    return next((kind for folder, kind in OFFICE_FOLDERS.items() if folder in folders), ZIP)
