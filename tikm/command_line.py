"""Django's command line, which ends in a sentence where the installation is at fault, not in a traceback."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandParser, execute_from_command_line, handle_default_options
from django.db import DatabaseError
from redis import RedisError

POOLED = ("runserver", "worker")  # commands that use the pool of database connections for long


def run(words: Sequence[str]) -> None:
    """Run a command; `--traceback` shows the traceback after all."""
    try:
        _prepare(words)
        execute_from_command_line(list(words))
    except Exception as error:
        sentence = explain(error)
        if sentence is None or "--traceback" in words:
            raise
        print(sentence, file=sys.stderr)  # noqa: T201
        sys.exit(1)


def explain(error: BaseException) -> str | None:
    """Return what a fault of settings, database, Redis or files means and what to set; None for any other error."""
    for each in _causes(error):
        if isinstance(each, ImproperlyConfigured):
            return str(each)
        if isinstance(each, DatabaseError):
            from realtime.doctor import databases

            problem = databases.explain(each)
            return None if problem is None else str(problem)
        if isinstance(each, RedisError):
            from realtime.doctor import redis_servers

            return str(redis_servers.explain(each))
        if isinstance(each, PermissionError) and each.filename:
            return f"This user may not use {each.filename}. Run the command as the user of the service."
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _prepare(words: Sequence[str]) -> None:
    """Have a short command connect without a pool, which would not say why it failed."""
    parser = CommandParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    parser.add_argument("--pythonpath")
    handle_default_options(parser.parse_known_args(words[2:])[0])
    # Without valid settings `help` works; Django reads them again where a command needs them.
    with suppress(ImproperlyConfigured, ImportError):
        database = settings.DATABASES["default"]
        if words[1:2] and words[1] not in POOLED:
            database.get("OPTIONS", {}).pop("pool", None)
