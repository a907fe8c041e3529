"""What the commands have in common: text that cannot harm a terminal, tables, and endings without a traceback."""

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import CommandError

from realtime.monitoring import explain_access


def printable(text: str) -> str:
    """Return `text` with what a terminal would obey written out: others choose what events say."""
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return JSON for people and programs."""
    return printable(json.dumps(value, ensure_ascii=False, indent=indent, default=str))


def person_named(name: str | None) -> AbstractBaseUser | None:
    """Return who is named by --as; nobody where nobody is."""
    try:
        return None if name is None else explain_access.find_person(name)
    except explain_access.NoSuchPerson as error:
        raise CommandError(str(error)) from None


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table, its columns as wide as what is in them."""
    lines = [list(heads), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


@contextmanager
def ends_quietly() -> Iterator[None]:
    """Let Ctrl-C, and a reader such as `head` that has had enough, end a command without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process wherever it is.

    An exception that comes between a library's taking a lock and its letting go would leave it waiting for ever.
    """
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
