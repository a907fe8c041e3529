"""The steps of the project: REALTIME["DOCTOR"] names a module with a list `steps`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from realtime.conf import config


@dataclass(frozen=True)
class Step:
    """One thing to test: `check` returns what was found, and raises Problem."""

    name: str
    check: Callable[[], str]
    at_start: bool = False  # `serve` refuses to start where it fails


def of_project() -> Sequence[Step]:
    """Return the steps of the project."""
    name = config().doctor
    return import_module(name).steps if name else ()
