"""Preflight checks: what keeps a project from being served, each as a sentence that says what to set or run."""

import re
from collections.abc import Iterator

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

from realtime.conf import APP_KEY, config
from realtime.doctor import databases, steps
from realtime.doctor.problem import Problem

DEVELOPMENT = "insecure"  # part of the secrets that Django and we generate for development
MIN_SECRET_LENGTH = 12  # characters
MIN_SECRET_VARIETY = 5  # different characters


def find_problems(*, static_files: bool) -> Iterator[str]:
    """Yield each problem."""
    if settings.DEBUG:
        yield "DEBUG is on: it shows settings and code to every client that meets an error. Set DEBUG=false."
    if not settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS is empty: set it to the host names of this site, separated by commas."
    if "*" in settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS is *: any host name would be put into links. Set it to the host names of this site."
    if not re.fullmatch(APP_KEY, config().app_key):
        yield f"REALTIME_APP_KEY is {config().app_key!r}: set it to letters, digits, - and _, such as tikm."
    yield from _secrets()
    try:
        databases.check()
    except Problem as problem:
        yield str(problem)
    yield from _installation()
    if static_files and _lacks_static_files():
        yield "The static files are not collected: run manage.py collectstatic."


def _secrets() -> Iterator[str]:
    found = {"SECRET_KEY": [settings.SECRET_KEY], "REALTIME_APP_SECRET": config().app_secrets}
    for name, secrets in found.items():
        if not secrets or any(map(_is_weak, secrets)):
            yield f"{name} is short, repeats itself or is the development default: set it to a long random string."


def _is_weak(secret: str) -> bool:
    return DEVELOPMENT in secret or len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < MIN_SECRET_VARIETY


def _installation() -> Iterator[str]:
    for step in steps.of_project():
        if step.at_start:
            try:
                step.check()
            except Problem as problem:
                yield str(problem)


def _lacks_static_files() -> bool:
    return isinstance(staticfiles_storage, ManifestFilesMixin) and not staticfiles_storage.hashed_files
