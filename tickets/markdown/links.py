"""Find links in text: addresses with a scheme or www., and [text](address)."""

import re
import unicodedata
from dataclasses import dataclass

# Punctuation outside ASCII, such as 。 and ”, is escaped in the addresses that browsers copy.
_WIDE_PUNCTUATION = "".join(chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code))[0] == "P")
# Bidirectional controls would show an address in another order.
_BIDI_CONTROLS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_END = rf'\s<>"`|{re.escape(_WIDE_PUNCTUATION)}{_BIDI_CONTROLS}'

# Where an address may begin: not within a Latin word or a number, but directly after other scripts.
START = r"(?<![A-Za-z0-9])(?:[Hh][Tt][Tt][Pp][Ss]?://|[Ww]{3}\.|[Mm][Aa][Ii][Ll][Tt][Oo]:)"
_ADDRESS = re.compile(rf"{START}[^{_END}]+")
_VALID = re.compile(r"(?:https?://\S*\w|www\.[^\s.]+\.\w|mailto:[^\s@]+@\w)", re.IGNORECASE)
_TRAILING = ".,;:!?'*_~"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_NAMED = re.compile(
    rf"\[(?P<label>[^\[\]\n]{{1,500}})\]"
    rf"\((?P<address>{START}[^()\s{_END}]*(?:\([^()\s{_END}]*\)[^()\s{_END}]*)*)\)"
)
_LOOKS_LIKE_ADDRESS = re.compile(r"://|www\.|^\s*[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """A link in a text: the range of its label, its address, and where the text goes on."""

    label_start: int
    label_end: int
    address: str
    end: int

    @property
    def href(self) -> str:
        """The address with a scheme."""
        return f"http://{self.address}" if self.address[:4].lower() == "www." else self.address


def bare_link(text: str, start: int) -> Link | None:
    """Return the address that begins at `start`, without the punctuation of the sentence around it."""
    found = _ADDRESS.match(text, start)
    if found is None:
        return None
    address = _without_trailing_punctuation(found[0])
    end = start + len(address)
    return Link(start, end, address, end) if _VALID.match(address) else None


def named_link(text: str, start: int) -> Link | None:
    """Return the [text](address) that begins at `start`.

    A label that looks like an address must be part of the real one: readers would trust it.
    """
    found = _NAMED.match(text, start)
    if found is None or not found["label"].strip() or not _VALID.match(found["address"]):
        return None
    label, address = found["label"].strip().lower(), found["address"].lower()
    if _LOOKS_LIKE_ADDRESS.search(label) and not address.startswith((label, f"https://{label}", f"http://{label}")):
        return None
    return Link(*found.span("label"), found["address"], found.end())


def _without_trailing_punctuation(address: str) -> str:
    surplus = {close: address.count(close) - address.count(opening) for close, opening in _BRACKETS.items()}
    end = len(address)
    while end:
        last = address[end - 1]
        if last in _BRACKETS and surplus[last] > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return address[:end]
