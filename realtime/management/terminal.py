"""Shared by the commands: safe text, tables, and an exit without a traceback."""

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
    """Return `text` with control characters escaped: events come from others and could control the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return `value` as printable JSON."""
    return printable(json.dumps(value, ensure_ascii=False, indent=indent, default=str))


def user_named(name: str | None) -> AbstractBaseUser | None:
    """Return the user that --as names; None without it. Raises CommandError."""
    try:
        return None if name is None else explain_access.find_user(name)
    except explain_access.UserNotFound as error:
        raise CommandError(str(error)) from None


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table with aligned columns."""
    lines = [list(heads), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


@contextmanager
def exits_quietly() -> Iterator[None]:
    """End a command without a traceback on Ctrl-C, and when a reader such as `head` closes the pipe."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discard what is still buffered


@contextmanager
def exits_on_interrupt() -> Iterator[None]:
    """End the process on Ctrl-C, wherever it is: an exception could leave a library's lock taken, and hang."""
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
