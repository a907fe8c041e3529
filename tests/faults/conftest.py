"""Fixtures of the fault runs, in a pytest process of their own: `python -m pytest tests/faults`."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from tests.faults import report
from tests.integration.servers.serve import SETTINGS
from tests.support.servers import instances, migrated

HERE = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def _own_process(request: pytest.FixtureRequest) -> None:
    """Fail beside other tests: a fault run takes minutes and needs the whole machine."""
    others = [item.nodeid for item in request.session.items if not item.path.is_relative_to(HERE)]
    if others:
        pytest.fail(f"tests/faults needs a pytest process of its own; {others[0]} is selected too.", pytrace=False)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report what was done and seen, also after a failure."""
    for title, lines in report.written.items():
        terminalreporter.section(title)
        terminalreporter.write_line("\n".join(lines))


@dataclass(frozen=True)
class Desk:
    """Four tickets, the users, and the services of the site."""

    environment: dict[str, str]
    redis: instances.RedisServer
    sessions: dict[str, str]
    ids: dict[str, str]
    token: str
    tickets: list[str]

    def run(self, task: str) -> Any:
        """Run a task of `tests.faults.site` in a process of its own; return what it prints."""
        return _run(task, self.environment)

    def ask(self, query: LiteralString) -> Any:
        """Return the first thing that the database answers."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            (first,) = connection.execute(query).fetchone()
        return first

    def events(self) -> int:
        """Return how many events of tickets have been committed so far."""
        return self.ask("SELECT count(*) FROM realtime_broadcast WHERE event LIKE 'ticket.%'")

    def disconnect(self) -> None:
        """Have the database end every connection, as a restart does."""
        self.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def seed() -> str:
    """What chance begins with: printed, and set by FAULT_SEED."""
    return os.environ.get("FAULT_SEED") or str(random.randrange(10**6))


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    with migrated.postgres() as url, instances.redis_server() as redis_server:
        own = {"DATABASE_URL": url, "REDIS_URL": redis_server.url, "SECRET_KEY": os.environ["SECRET_KEY"]}
        environment = instances.environment(own | SETTINGS)
        yield Desk(environment, redis_server, **_run("prepare", environment))


def _run(task: str, environment: dict[str, str]) -> Any:
    command = [sys.executable, "-m", "tests.faults.site", task]
    ran = subprocess.run(command, cwd=instances.TOP, env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(ran.stdout)
