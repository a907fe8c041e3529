"""Migrated databases for tests: made once for each state of the sources, and copied by all that need one.

The originals lie in .pytest_cache. A change of a migration, a model, the default rows, an installed package or
of the database's own version makes new ones.
"""

import fcntl
import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import django
import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.support.servers import instances

DATABASE = "migrated"  # in each server of `postgres`
FOLDER = instances.TOP / ".pytest_cache/migrated"
SOURCES = instances.TOP
# What else migrations import works on rows, and a new database has only the default ones.
DECIDING = {"migrations", "models", "models.py", "apps.py", "defaults.py"}
PACKAGES = ("accounts", "audit", "jobs", "mail", "realtime", "tickets", "tikm")


def copy_to_file(path: Path) -> None:
    """Create `path`, a migrated SQLite database."""
    with _original("sqlite3", _make_sqlite) as original:
        shutil.copyfile(original, path)


def copy_to_connection(connection: BaseDatabaseWrapper) -> None:
    """Fill Django's empty SQLite database."""
    connection.ensure_connection()
    with _original("sqlite3", _make_sqlite) as original, closing(sqlite3.connect(original)) as source:
        source.backup(connection.connection)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a fresh PostgreSQL and yield the DATABASE_URL of its migrated database."""
    with instances.postgres(_copy_cluster) as url:
        yield _migrated(url)


def _copy_cluster(directory: Path) -> None:
    with _original("postgres", _make_cluster) as original:
        # Keeps the owner: the server refuses to run as root.
        subprocess.run(["cp", "-Rp", original, directory / "data"], check=True)


@contextmanager
def _original(name: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Yield the path of an original, which no process replaces meanwhile; make it unless it is there."""
    path = FOLDER / f"{name}-{_state_of_sources()}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not path.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                _replace(path, name, make)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield path


def _replace(path: Path, name: str, make: Callable[[Path], None]) -> None:
    """Make the original, and remove those of other states; a broken one never gets its name."""
    for old in FOLDER.glob(f"{name}-*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    with TemporaryDirectory(prefix="tikm-", dir="/tmp") as directory:
        made, unfinished = Path(directory, name), FOLDER / f"{name}-unfinished"
        make(made)
        subprocess.run(["cp", "-Rp", made, unfinished], check=True)
    unfinished.rename(path)


def _make_sqlite(path: Path) -> None:
    _migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=DELETE")  # one file that is complete by itself


def _make_cluster(path: Path) -> None:
    with instances.postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
            (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        _migrate(_migrated(url))
        # Stopped in good order, a copy starts without recovery.
        stop = [instances.postgres_programs() / "pg_ctl", "stop", "--silent", "--mode", "fast", "--pgdata", data]
        subprocess.run(stop, check=True, cwd=Path(data).parent, **instances.unprivileged())
        subprocess.run(["cp", "-Rp", data, path], check=True)


def _migrate(database_url: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    environment = instances.environment({"DATABASE_URL": database_url, "REDIS_URL": None})
    subprocess.run(command, check=True, cwd=instances.TOP, env=environment)


def _migrated(database_url: str) -> str:
    return database_url.replace("/postgres?", f"/{DATABASE}?")


@cache
def _state_of_sources() -> str:
    """Return a digest of what a new database depends on."""
    packages = Path(django.__file__).parents[1].glob("*.dist-info")
    parts = [sys.version, sqlite3.sqlite_version, str(instances.postgres_programs())]
    parts += sorted(package.name for package in packages)
    digest = hashlib.sha256("\n".join(parts).encode())
    for package in PACKAGES:
        for path in sorted((SOURCES / package).rglob("*.py")):
            if DECIDING.intersection(path.relative_to(SOURCES).parts):
                digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
