"""The parts of a message: which are its text, and which are files."""

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from mail.inbound.parsing import html, text, tnef
from mail.inbound.parsing.charsets import clean, decode, one_line
from mail.inbound.parsing.headers import decoded, raw_value, unfolded
from mail.inbound.parsing.message import MailFile, Problem

MAX_PARTS: Final = 500
MAX_DEPTH: Final = 30
MAX_FILE_NAME: Final = 150
SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
ENCRYPTED: Final = frozenset({"application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
# What programs write as text/plain beside the HTML that they mean.
PLACEHOLDER: Final = re.compile(
    r"(your|this) (e-?mail )?(client|program|viewer|message).{0,80}\bhtml\b|\bhtml\b.{0,40}(e-?mail|message|viewer)",
    re.I | re.S,
)
USUAL_NAMES: Final = {
    "text/calendar": "invite.ics", "message/rfc822": "message.eml", "application/ms-tnef": "winmail.dat",
    "text/html": "message.html", "text/plain": "message.txt", "application/pdf": "document.pdf",
    "image/png": "image.png", "image/jpeg": "image.jpg", "image/gif": "image.gif", "image/webp": "image.webp",
    "text/vcard": "contact.vcf", "text/x-vcard": "contact.vcf", "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
}  # fmt: skip


@dataclass
class Content:
    """What some parts of a message hold, in their order."""

    texts: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)  # sanitised
    files: list[MailFile] = field(default_factory=list)
    is_rich: bool = False  # its text was HTML

    @property
    def text(self) -> str:
        return "\n\n".join(each.strip("\n") for each in self.texts if each.strip())

    def add(self, other: "Content") -> None:
        """Append what other parts hold."""
        self.texts += other.texts
        self.html += other.html
        self.files += other.files


class Reader:
    """Walks through the parts of one message, within bounds."""

    def __init__(self) -> None:
        self.parts = 0
        self.problems: set[Problem] = set()

    def read(self, part: Message, depth: int = 0) -> Content:
        """Return what a part holds, with the parts in it."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            self.problems.add(Problem.TOO_MANY_PARTS)
            return Content()
        if depth > MAX_DEPTH:
            self.problems.add(Problem.TOO_DEEP)
            return Content(files=[_nested_file(part)])
        kind = part.get_content_type()
        if kind.startswith("multipart/") and text.children(part):
            return self._read_multipart(part, kind, depth)
        return self._read_leaf(part, kind)

    def _read_multipart(self, part: Message, kind: str, depth: int) -> Content:
        if kind == "multipart/encrypted":
            self.problems.add(Problem.ENCRYPTED)
        read = [self.read(child, depth + 1) for child in text.children(part)]
        if kind == "multipart/alternative":
            return _preferred(read)
        found = Content()
        for content in read:
            found.add(content)
        return found

    def _read_leaf(self, part: Message, kind: str) -> Content:
        if kind in SIGNATURES:
            return Content()
        if kind in ENCRYPTED:
            self.problems.add(Problem.ENCRYPTED)
        if not _is_file(part, kind):
            if kind == "text/html":
                safe = html.sanitized(_html_of(part))
                return Content([html.to_text(safe)], [safe], is_rich=True)
            return Content([text.text_of(part)])
        return Content(files=[_file(part, kind)])


def _preferred(alternatives: list[Content]) -> Content:
    """Return the plain text of a multipart/alternative, or the text of its HTML; the files of all."""
    plain = [each for each in alternatives if not each.is_rich and not each.html and each.text]
    rich = [each for each in alternatives if each.html and each.text]
    useful = [each for each in plain if len(each.text) > 300 or not PLACEHOLDER.search(each.text)]
    chosen = next(iter([*useful, *rich, *plain]), Content())
    found = Content(list(chosen.texts))
    for each in alternatives:
        found.html += each.html
        found.files += each.files
    return found


def _is_file(part: Message, kind: str) -> bool:
    if kind.startswith("multipart/"):  # without a boundary
        return False
    if kind not in ("text/plain", "text/html"):
        return kind != "text/enriched"
    disposition = str(part.get("Content-Disposition", "")).split(";", maxsplit=1)[0].strip().lower()
    return disposition == "attachment" or bool(_name(part) and disposition != "inline")


def _file(part: Message, kind: str) -> MailFile:
    if kind.startswith("message/") and text.children(part):
        return _nested_file(part)
    content_id = str(part.get("Content-ID", "")).strip().strip("<>")[:250]
    disposition = str(part.get("Content-Disposition", "")).strip().lower()
    name = _name(part) or USUAL_NAMES.get(kind, "file")
    is_inline = bool(content_id) and not disposition.startswith("attachment") and kind.startswith("image/")
    content = text.content_of(part)
    is_tnef = kind in TNEF or name.lower() == "winmail.dat"
    return MailFile(name, kind, content, content_id, is_inline, tnef.file_names(content) if is_tnef else ())


def _nested_file(part: Message) -> MailFile:
    """Return a message in a message, or parts that are too deep, as a file."""
    nested = text.children(part) if part.get_content_type() == "message/rfc822" else []
    inner = nested[0] if nested else part
    try:
        content = inner.as_bytes()
    except Exception:  # the generator raises on what the parser accepts
        content = b"\n".join(f"{name}: {value}".encode("utf-8", "replace") for name, value in inner.raw_items())
    subject = one_line(decoded(raw_value(inner, "Subject")), 100)
    stem = re.sub(r"[\\/:*?\"<>|]+", " ", subject).strip(" .") or "message"
    return MailFile(_name(part) or f"{stem}.eml", "message/rfc822", content)


def _name(part: Message) -> str:
    """Return the file name of a part, however it is encoded; empty if it has none."""
    try:
        name = _decoded_headers(part).get_filename("") or ""
    except Exception:  # names with a broken charset (RFC 2231)
        match = re.search(r"name\*?\d*\*?=\"?([^\";]+)", str(part.get("Content-Disposition", "")))
        name = match[1] if match else "file"
    return one_line(decoded(str(name)), MAX_FILE_NAME)


def _decoded_headers(part: Message) -> Message:
    """Return the headers that hold a file's name, with 8-bit characters decoded."""
    headers: Message = Message()
    for name in ("Content-Disposition", "Content-Type"):
        if value := unfolded(raw_value(part, name)):
            headers[name] = value
    return headers


def _html_of(part: Message) -> str:
    return clean(decode(text.content_of(part), text.parameter(part, "charset") or _meta_charset(part)))


def _meta_charset(part: Message) -> str:
    match = re.search(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{1,40})", text.content_of(part)[:4096], re.I)
    return match[1].decode() if match else ""
