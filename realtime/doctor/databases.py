"""Whether the database answers and is up to date, and what is wrong with its address."""

import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import load_backend

from realtime.doctor.problem import Problem

URL = "postgres://user:password@host:5432/name"
OUTDATED = Problem("The database is not up to date:", "run manage.py migrate.")
# The server's words, or those of its client library; {host}, {port}, {name} and {user} are of the settings.
REASONS: Mapping[str, tuple[str, str]] = {
    "connection refused": (
        "PostgreSQL refuses connections to {host} port {port}.",
        "Start it, or set DATABASE_URL to its host and port.",
    ),
    "no such file or directory|socket .* failed": (
        "There is no PostgreSQL socket in {host} for port {port}.",
        "Start PostgreSQL, or set DATABASE_URL to its host and port.",
    ),
    "resolve host|name or service not known|could not translate host": (
        "The host name {host} of the database is unknown.",
        f"Set DATABASE_URL to a host that exists, as in {URL}.",
    ),
    "password|authentication failed|no pg_hba.conf entry": (
        "PostgreSQL at {host} does not accept the user {user} with this password.",
        f"Set user and password in DATABASE_URL, as in {URL}.",
    ),
    'database ".*" does not exist': (
        "PostgreSQL at {host} has no database {name}.",
        "Create it (createdb {name}), or set DATABASE_URL to one that exists.",
    ),
    'role ".*" does not exist': (
        "PostgreSQL at {host} has no user {user}.",
        "Create it (createuser {user}), or set the user in DATABASE_URL.",
    ),
    "permission denied": (
        "The user {user} may not use the database {name}.",
        "Make them its owner, or set another user in DATABASE_URL.",
    ),
    "timeout|timed out|unreachable|no route": (
        "The database at {host} port {port} does not answer.",
        "Check its firewall and listen_addresses, or set DATABASE_URL to its host and port.",
    ),
    "too many (clients|connections)|remaining connection slots": (
        "The database at {host} has no connection left.",
        "Raise its max_connections, or start fewer workers.",
    ),
    "unable to open database file": (
        "The database file {name} cannot be opened.",
        "Set DATABASE_URL to a file in a folder that exists and that this user may write, "
        "as in sqlite:////srv/tikm/tikm.sqlite3.",
    ),
    "readonly database": (
        "This user may not write the database file {name} or its folder.",
        "Make them the owner of both, or set DATABASE_URL to another file.",
    ),
    "file is not a database|malformed": (
        "The file {name} is no SQLite database.",
        "Set DATABASE_URL to another file, or restore a backup.",
    ),
    "database is locked": (
        "Another process writes the database file {name} for a long time.",
        "End it, or set DATABASE_URL to a PostgreSQL server.",
    ),
}
MISSING_TABLE = re.compile(r"no such (table|column)|(relation|column) .* does not exist", re.IGNORECASE)


def check() -> str:
    """Return the vendor and address of the database. Raises Problem if it does not answer or is not up to date."""
    try:
        found = _unpooled()
        with closing(found) if found is not connection else found.cursor():
            executor = MigrationExecutor(found)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise OUTDATED
    except (DatabaseError, OSError) as error:
        raise explain(error) or error from None
    return f"{found.display_name} answers and is up to date"


def explain(error: BaseException) -> Problem | None:
    """Return what an error means for this installation's database; None if a query is at fault."""
    text = " ".join(str(error).split())
    if MISSING_TABLE.search(text):
        return OUTDATED
    address = _address()
    for pattern, (found, fix) in REASONS.items():
        if re.search(pattern, text, re.IGNORECASE):
            return Problem(found.format(**address), fix.format(**address))
    if isinstance(error, OperationalError | OSError):
        return Problem(f"The database does not answer: {text}.", f"Check DATABASE_URL, as in {URL}.")
    return None


def _unpooled() -> BaseDatabaseWrapper:
    """Return a connection outside the pool: a pool tries again for long, and does not say why it failed."""
    options = settings.DATABASES["default"].get("OPTIONS", {})
    if "pool" not in options:
        return connection
    given = {name: value for name, value in options.items() if name != "pool"}
    backend: Any = load_backend(connection.settings_dict["ENGINE"])
    wrapper: BaseDatabaseWrapper = backend.DatabaseWrapper({**connection.settings_dict, "OPTIONS": given})
    return wrapper


def _address() -> dict[str, str]:
    found = connection.settings_dict
    host = found.get("HOST") or found.get("OPTIONS", {}).get("host") or "this machine"
    return {
        "host": str(host),
        "port": str(found.get("PORT") or 5432),
        "name": str(found["NAME"]),
        "user": str(found.get("USER") or "of this process"),
    }
