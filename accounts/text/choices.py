"""Choices by name: matched in any case, and listed in errors."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

MAX_LISTED = 20  # names in an error


def is_named(row: Any, name: str) -> bool:
    """Return whether `name` is the name of `row`, in any case."""
    return str(row).casefold() == name.casefold()


def in_short(names: Iterable[str]) -> str:
    """Return the first MAX_LISTED names in one line."""
    listed = list(islice(names, MAX_LISTED + 1))
    return ", ".join([*listed[:MAX_LISTED], "…"] if len(listed) > MAX_LISTED else listed)
