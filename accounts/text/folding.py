"""Folded text, for search and order: case, accents, width and normal form make no difference.

The rules are described in docs/search.md. A change to them needs a new `FOLDING_VERSION`.
"""

# ruff: noqa: RUF001  (characters that look alike are what is folded)

import re
import unicodedata
from typing import Any

from django.db import models

FOLDING_VERSION = 1
# Between two letters or digits these belong to a word, as in INV-4711 or jane@example.com.
JOINERS = "._/@:'-"

# Letters that Unicode does not decompose, and punctuation that keyboards and word processors replace.
_REPLACED = {
    **dict(zip("łøđħıŧĸŋðɨƶ", "lodhitkndiz", strict=True)),
    **{"æ": "ae", "œ": "oe", "þ": "th", "⁄": "/", "ـ": ""},
    **dict.fromkeys("‘’‚‛′ʼ`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
# Scripts without spaces between words, and syllables that are searched one by one.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u9fff"
    "\ua000-\ua4cf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_EDGE = re.compile(rf"(?<![^\s{JOINERS}])[{JOINERS}]|[{JOINERS}](?![^\s{JOINERS}])")


class _Table(dict[int, str]):
    """A table for `str.translate`, filled with the characters that occur."""

    def __missing__(self, key: int) -> str:
        self[key] = value = self.replacement(chr(key))
        return value

    def replacement(self, char: str) -> str:
        raise NotImplementedError


class _Folded(_Table):
    def replacement(self, char: str) -> str:
        if char in _REPLACED:
            return _REPLACED[char]
        category, place = unicodedata.category(char), unicodedata.combining(char)
        # Invisible characters, variation selectors; accents, and the points of Hebrew and Arabic. Other marks are
        # letters of their scripts.
        is_left_out = category == "Cf" or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
        if is_left_out or (category == "Mn" and (place >= 200 or 10 <= place <= 36)):
            return ""
        digit = unicodedata.decimal(char, None)
        return char if digit is None else str(digit)


class _Spaced(_Table):
    def replacement(self, char: str) -> str:
        return f" {char} " if stands_alone(char) else char


_folded, _spaced = _Folded(), _Spaced()


def fold(text: str) -> str:
    """Return `text` without differences of case, accents, width and normal form."""
    if text.isascii():
        return text.lower().replace("`", "'")
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.replace("´", "'")).casefold())
    return unicodedata.normalize("NFKC", text.translate(_folded))


def searchable(text: str) -> str:
    """Return the folded words of `text` between single spaces, with one before the first and after the last.

    A character that stands alone is a word of its own. So a text contains a word exactly if it contains " word ".
    """
    words = _EDGE.sub(r" \g<0> ", fold(text).translate(_spaced)).split()
    return f" {' '.join(words)} " if words else ""


def stands_alone(char: str) -> bool:
    """Return whether a folded character is no part of a longer word: punctuation, and scripts without spaces."""
    if char.isspace() or char in JOINERS:
        return False
    return not char.isalnum() or _UNSPACED.match(char) is not None


class FoldedField(models.CharField[Any, Any]):
    """The searchable text of another field of the model, set whenever a row is saved."""

    def __init__(self, *args: Any, source: str, **options: Any) -> None:
        self.source = source
        super().__init__(*args, **{"editable": False, "default": "", "db_default": "", **options})

    def deconstruct(self) -> Any:
        """Add `source`."""
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "source": self.source}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Return the folded source. Only a text of rare ligatures is longer than the field."""
        value = searchable(getattr(model_instance, self.source))[: self.max_length]
        setattr(model_instance, self.attname, value)
        return value
