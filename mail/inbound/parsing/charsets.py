"""Decodes text whose charset is missing, unknown or wrong."""

import codecs
import re
import unicodedata
from typing import Final

# What programs write, and what they mean: mostly supersets.
ALIASES: Final = {
    "ansi": "cp1252", "ansi_x3.110-1983": "cp1252", "cp-850": "cp850", "gb2312": "gb18030", "gbk": "gb18030",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso-8859-8-i": "iso-8859-8", "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949", "latin1": "cp1252", "shift_jis": "cp932", "sjis": "cp932", "us-ascii": "utf-8",
    "ascii": "utf-8", "utf8mb4": "utf-8", "x-sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext",
}  # fmt: skip
# Codecs of Python that are no charsets of mail.
REFUSED: Final = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def decode(content: bytes, charset: str = "") -> str:
    """Return the text of `content`. What fits no charset is replaced by U+FFFD."""
    if content.startswith(codecs.BOM_UTF8):
        content = content.removeprefix(codecs.BOM_UTF8)
    for name in ("utf-8", known(charset)):  # text of other charsets is hardly ever valid UTF-8
        is_stateful = known(charset).startswith(("iso2022", "utf-7", "utf7", "hz", "utf-16", "utf-32"))
        if name and not (name == "utf-8" and is_stateful):
            try:
                return content.decode(name)
            except (UnicodeError, ValueError):
                continue
    return content.decode(known(charset) or "cp1252", "replace")


def known(charset: str) -> str:
    """Return the name by which Python knows a charset; empty if it does not."""
    name = charset.strip().strip("\"'").lower()
    name = ALIASES.get(name, name)
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return ""
    return codec.name if codec._is_text_encoding and codec.name not in REFUSED else ""


def clean(text: str) -> str:
    """Return the text with line feeds only, and without other control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", text)


def one_line(text: str, most: int) -> str:
    """Return the text as one line of visible words."""
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join(CONTROLS.sub("", plain).split())[:most].rstrip()
