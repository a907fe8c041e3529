"""The file types that settings.ATTACHMENT_TYPES may allow, and their names."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.text.lines import isolated

OPEN_XML = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
TEXT, ZIP = "text/plain", "application/zip"


@dataclass(frozen=True)
class FileType:
    """A type: its short name for people, and its file name extensions, the usual one first."""

    label: str | Promise
    extensions: tuple[str, ...]
    family: str = ""  # types of one family may bear each other's extensions: cameras and messengers mix them up


def _office(label: str, *extensions: str) -> FileType:
    return FileType(label, extensions, "office")


TYPES: dict[str, FileType] = {
    "image/png": FileType("PNG", (".png",), "image"),
    "image/jpeg": FileType("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), "image"),
    "image/gif": FileType("GIF", (".gif",), "image"),
    "image/webp": FileType("WebP", (".webp",), "image"),
    "image/heif": FileType("HEIC", (".heic", ".heif", ".hif"), "image"),
    "image/avif": FileType("AVIF", (".avif",), "image"),
    "image/bmp": FileType("BMP", (".bmp", ".dib"), "image"),
    "image/tiff": FileType("TIFF", (".tif", ".tiff"), "image"),
    "application/pdf": FileType("PDF", (".pdf",)),
    TEXT: FileType(
        _("text"), (".txt", ".log", ".csv", ".tsv", ".md", ".json", ".xml", ".yaml", ".yml", ".ini", ".conf")
    ),
    "application/rtf": FileType("RTF", (".rtf",), "office"),
    f"{OPEN_XML}wordprocessingml.document": _office("Word", ".docx"),
    "application/msword": _office("Word", ".doc", ".dot"),
    f"{OPEN_XML}spreadsheetml.sheet": _office("Excel", ".xlsx"),
    "application/vnd.ms-excel": _office("Excel", ".xls", ".xlt"),
    f"{OPEN_XML}presentationml.presentation": _office("PowerPoint", ".pptx", ".ppsx"),
    "application/vnd.ms-powerpoint": _office("PowerPoint", ".ppt", ".pps"),
    f"{OPEN_DOCUMENT}text": _office("OpenDocument", ".odt"),
    f"{OPEN_DOCUMENT}spreadsheet": _office("OpenDocument", ".ods"),
    f"{OPEN_DOCUMENT}presentation": _office("OpenDocument", ".odp"),
    f"{OPEN_DOCUMENT}graphics": _office("OpenDocument", ".odg"),
    "application/vnd.apple.pages": _office("Pages", ".pages"),
    "application/vnd.apple.numbers": _office("Numbers", ".numbers"),
    "application/vnd.apple.keynote": _office("Keynote", ".key"),
    "application/vnd.ms-outlook": FileType("Outlook", (".msg",)),
    ZIP: FileType("ZIP", (".zip",)),
    "application/gzip": FileType("gzip", (".gz", ".tgz")),
    "application/x-7z-compressed": FileType("7z", (".7z",)),
    "video/mp4": FileType("MP4", (".mp4", ".m4v"), "media"),
    "video/quicktime": FileType("MOV", (".mov", ".qt"), "media"),
    "video/3gpp": FileType("3GP", (".3gp", ".3gpp", ".3g2"), "media"),
    "video/webm": FileType("WebM", (".webm", ".mkv"), "media"),
    "audio/mp4": FileType("M4A", (".m4a", ".m4b"), "media"),
    "audio/mpeg": FileType("MP3", (".mp3",), "media"),
    "audio/wav": FileType("WAV", (".wav",), "media"),
    "audio/ogg": FileType("Ogg", (".ogg", ".oga", ".opus"), "media"),
    "audio/amr": FileType("AMR", (".amr",), "media"),
}
BY_EXTENSION = {ending: name for name, kind in TYPES.items() for ending in kind.extensions}
# Content types that have names of many kinds, such as `Makefile`, `error.log.2` or `map.kmz`.
OPEN_NAMED = frozenset({TEXT, ZIP, "application/gzip"})
# Extensions that a desktop executes or renders when the file is opened: they are followed by another one. The list is
# that of blocked types in Gmail, and the documents that browsers execute.
# fmt: off
RUNNABLE = frozenset([
    ".apk", ".app", ".appx", ".bat", ".cab", ".chm", ".cmd", ".com", ".command", ".cpl", ".desktop", ".dll", ".dmg",
    ".exe", ".hta", ".htm", ".html", ".img", ".inf", ".iso", ".jar", ".jnlp", ".js", ".jse", ".lnk", ".mht",
    ".mhtml", ".mjs", ".msc", ".msi", ".msix", ".msp", ".pif", ".ps1", ".psm1", ".reg", ".scf", ".scr", ".sct",
    ".shtml", ".svg", ".svgz", ".swf", ".sys", ".url", ".vb", ".vbe", ".vbs", ".vhd", ".ws", ".wsc", ".wsf", ".wsh",
    ".xht", ".xhtml", ".xll", ".xpi",
])
# fmt: on


def allowed_types() -> list[str]:
    """Return the content types that this site accepts."""
    return settings.ATTACHMENT_TYPES or list(TYPES)


def check_allowed_types(**_: Any) -> list[CheckMessage]:
    """Report types in ATTACHMENT_TYPES that no file has: they are typing errors (a system check)."""
    return [
        Error(f"ATTACHMENT_TYPES has {name!r}; set it to types among {', '.join(TYPES)}.", id="tickets.E001")
        for name in settings.ATTACHMENT_TYPES
        if name not in TYPES
    ]


def accepted() -> str:
    """Return the short names of the accepted types, for people."""
    labels = [str(kind.label) for name, kind in TYPES.items() if name in allowed_types()]
    return ", ".join(dict.fromkeys(labels))


def is_plausible(extension: str, content_type: str) -> bool:
    """Return whether a file of `content_type` may keep `extension`."""
    kind, named = TYPES[content_type], BY_EXTENSION.get(extension)
    if extension in kind.extensions:
        return True
    if extension in RUNNABLE:
        return False
    if named is None:
        return content_type in OPEN_NAMED
    # Many programs write tables and messages under names of Office: RTF or tab-separated text.
    family = "office" if content_type == TEXT else kind.family
    return bool(family) and TYPES[named].family == family


def is_named_like_text(extension: str) -> bool:
    """Return whether text may have this extension, as such or followed by another one."""
    return extension not in BY_EXTENSION or is_plausible(extension, TEXT)


def short_name(name: str) -> str:
    """Return the first 40 printable characters of a file name, for use in an error message."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return isolated("".join(char for char in last if char.isprintable())[:40])
