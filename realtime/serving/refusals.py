"""What keeps a project from being served: each is a sentence that says what to set or run."""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from realtime.conf import config

WEAK = "insecure"  # part of the secrets that Django and we write for development
SHORTEST = 12  # characters of a secret that cannot be guessed


def refusals(*, pages: bool) -> Iterator[str]:
    """Yield what is wrong."""
    if settings.DEBUG:
        yield "DEBUG is on: it shows settings and code to whoever meets an error. Set DEBUG=false."
    if not settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS is empty: set it to the names that people reach this site by, separated by commas."
    yield from _secrets()
    if _is_behind():
        yield "The database is not up to date: run manage.py migrate."
    if pages and _lacks_static_files():
        yield "The files for the browser are not collected: run manage.py collectstatic."


def _secrets() -> Iterator[str]:
    found = {"SECRET_KEY": [settings.SECRET_KEY], "REALTIME_APP_SECRET": config().app_secrets}
    for name, secrets in found.items():
        if not secrets or any(WEAK in secret or len(secret) < SHORTEST for secret in secrets):
            yield f"{name} is short or the default for development: set it to a long random string."


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _lacks_static_files() -> bool:
    return isinstance(staticfiles_storage, ManifestFilesMixin) and not staticfiles_storage.hashed_files
