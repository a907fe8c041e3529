"""The project's part: REALTIME["DOCTOR"] names a module with a list `steps`, and whose channel to test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from realtime.conf import config


@dataclass(frozen=True)
class Step:
    """One thing to test: `check` returns what was found, and raises Problem, Advice or Untested."""

    name: str
    check: Callable[[], str]
    at_start: bool = False  # `serve` refuses to start where it fails


def of_project() -> Sequence[Step]:
    """Return the steps of the project."""
    found: Sequence[Step] = getattr(_module(), "steps", ())
    return found


def probe_user(model: type[AbstractBaseUser]) -> AbstractBaseUser | None:
    """Return the user whose page is played if none is named: the module's `probe_user()`, else an active user."""
    if hasattr(_module(), "probe_user"):
        found: AbstractBaseUser | None = _module().probe_user()
        return found
    users: QuerySet[Any] = model._default_manager.all()
    return users.filter(is_active=True).first()


def probe_channel(user: AbstractBaseUser | None) -> str:
    """Return a private channel that `user` may subscribe to: the module's `probe_channel(user)`."""
    return "" if user is None or not hasattr(_module(), "probe_channel") else str(_module().probe_channel(user))


def _module() -> Any:
    return import_module(config().doctor) if config().doctor else None
