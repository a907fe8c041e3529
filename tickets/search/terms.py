"""What is typed in the search field: words, "phrases", and -words to exclude."""

import re
from dataclasses import dataclass

from accounts.text.folding import JOINERS, fold, searchable, stands_alone

MAX_LENGTH = 200
MAX_WORDS = 12
MIN_PART = 3  # characters that are found within words: the indexes hold groups of three

_TYPED = re.compile(r'(?<!\S)-?"[^"]+"(?!\S)|\S+')
_AROUND = f' {JOINERS},;!?()[]{{}}<>"…'  # punctuation around words
_BOUNDARIES = f" {JOINERS}"


@dataclass(frozen=True)
class Term:
    """A word or phrase to find, as searchable text without spaces around it."""

    text: str

    @property
    def parts(self) -> list[str]:
        """The texts of which a match contains at least one.

        Three characters are found anywhere, fewer at the beginning of a word.
        """
        before = " " if _is_word(self.text[0]) else ""
        after = " " if _is_word(self.text[-1]) else ""
        if len(before + self.text + after) >= MIN_PART:
            return [f"{before}{self.text}{after}"]
        return [f"{start}{self.text}" for start in _BOUNDARIES]

    @property
    def needs_start(self) -> bool:
        """Whether it is found at the beginning of a word only: one or two letters."""
        return len(self.parts) > 1

    @property
    def whole(self) -> str:
        """The text that contains it as whole words."""
        return f" {self.text} "

    def is_in(self, text: str) -> bool:
        """Return whether a searchable text matches."""
        return any(part in text for part in self.parts)


@dataclass(frozen=True)
class Query:
    """The terms that a ticket must contain, and those that it must not contain."""

    terms: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()


def parse(typed: str) -> Query:
    """Return the query of a typed text.

    Only a minus sign directly before a word of three or more letters, or before a phrase, and after another word
    excludes: a pasted "--force", "-5" or "-v" is text.
    """
    terms: dict[Term, None] = {}
    excluded: dict[Term, None] = {}
    for found in _TYPED.findall(fold(typed)):
        term = _term(found)
        if term is not None:
            (excluded if terms and _excludes(found, term) else terms)[term] = None
    return Query(tuple(terms), tuple(excluded))


def _term(typed: str) -> Term | None:
    """Return the term without the punctuation around it; punctuation alone is a term, quotation marks are none."""
    text = searchable(typed).strip()
    text = text.strip(_AROUND) or text.replace('"', "").strip()
    return Term(text) if text else None


def _excludes(typed: str, term: Term) -> bool:
    is_word = typed[1:2].isalpha() or typed[1:2] == '"'
    return typed.startswith("-") and is_word and len(term.text) >= MIN_PART


def _is_word(char: str) -> bool:
    return stands_alone(char) or char in JOINERS
