"""Validation of names and subjects: single lines that are shown between other words."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# They would turn the words around a name (Unicode UAX 9). Marks between letters of a script need none of them.
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Characters of other categories that show nothing: fillers, the empty Braille pattern, joiners.
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Domains that mail programs and phones turn into links without a scheme.
_ENDINGS = (
    "app|at|be|biz|ca|cc|ch|click|cn|co|com|de|dev|edu|es|eu|fr|gov|icu|in|info|io|it|jp|link|live|me|mobi|net|nl|online|org|"
    "pl|pro|ru|shop|site|store|tk|to|top|tv|uk|us|vip|website|win|xyz"
)
_WEB_ADDRESS = re.compile(
    rf"://|\bwww\.|(?<![\w@.-])(?:[\w-]+\.)+(?:{_ENDINGS})(?![\w-])|(?<![\w@.-])(?:[\w-]{{2,}}\.)+[^\W\d_]{{2,}}/",
    re.I,
)


def is_blank(text: str) -> bool:
    """Return whether the text shows nothing."""
    return not any(_is_visible(char) for char in text)


def validate_line(value: str) -> None:
    """Raise ValidationError for text that shows nothing, breaks the line or turns the words around it."""
    if is_blank(value):
        raise ValidationError(_("Enter at least one visible character."), code="blank")
    if not BIDI_CONTROLS.isdisjoint(value):
        raise ValidationError(_("Remove the hidden characters that change the direction of the text."), code="bidi")
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in value):
        raise ValidationError(_("Enter a single line without control characters."), code="control")


def validate_person_name(value: str) -> None:
    """Raise ValidationError also for a web address: anyone can choose a name, which others read."""
    validate_line(value)
    plain = "".join(char for char in unicodedata.normalize("NFKC", value) if unicodedata.category(char) != "Cf")
    if _WEB_ADDRESS.search(plain.replace("\u3002", ".")):
        raise ValidationError(_("A name can't contain a web address."), code="web_address")


def isolated(text: str) -> str:
    """Return `text` for use among other words of plain text, which right-to-left text would turn (FSI and PDI)."""
    return f"\u2068{text}\u2069" if any(unicodedata.bidirectional(char) in ("R", "AL") for char in text) else text


def _is_visible(char: str) -> bool:
    # Not Cn: the characters of newer versions of Unicode are unassigned to this Python.
    if char in FILLERS or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return False
    return unicodedata.category(char) not in ("Cc", "Cf", "Zs", "Zl", "Zp")
