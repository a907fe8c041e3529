"""A desk on a SQLite file, servers on it, and third-party clients under Node."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests import instances
from tests.clients.node import NodeClient
from tests.clients.visitor import CSRF, Visitor


@dataclass(frozen=True)
class Desk:
    """Casey's ticket, who is there, and the database that they are in."""

    database_url: str
    ticket: str
    ids: dict[str, str]
    sessions: dict[str, str]
    tokens: dict[str, str]

    @property
    def channel(self) -> str:
        """The ticket's, as Echo calls it: without `private-`."""
        return f"tickets.{self.ticket}"

    def serve(self, kind: str) -> Any:
        """Run a server of this kind that knows the sessions."""
        secret = {"SECRET_KEY": os.environ["SECRET_KEY"]}
        return instances.server(kind, database_url=self.database_url, env=secret)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    database_url = f"sqlite:///{tmp_path_factory.mktemp('desk') / 'desk.sqlite3'}"
    settings = {"DATABASE_URL": database_url, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-m", "tests.clients.desk"]
    environment = {**os.environ, **settings}
    prepared = subprocess.run(command, cwd=instances.TOP, env=environment, check=True, stdout=subprocess.PIPE)
    return Desk(database_url, **json.loads(prepared.stdout))


@pytest.fixture(scope="session")
def daphne(desk: Desk) -> Iterator[instances.Server]:
    with desk.serve("daphne") as server:
        yield server


@pytest.fixture(scope="session")
def uvicorn(desk: Desk) -> Iterator[instances.Server]:
    with desk.serve("uvicorn") as server:
        yield server


@pytest.fixture
def nobodys_port() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def start() -> Iterator[Callable[..., NodeClient]]:
    """Start clients that end with the test."""
    started = []

    def start(script: str, **options: Any) -> NodeClient:
        started.append(NodeClient(script, **options))
        return started[-1]

    yield start
    for client in started:
        client.end()


@pytest.fixture
def echo(desk: Desk, start: Callable[..., NodeClient]) -> Callable[..., NodeClient]:
    """Start a person's Echo."""

    def echo(name: str, server: instances.Server) -> NodeClient:
        cookies = Visitor(server.url, desk.sessions[name]).cookies
        return start("echo.js", port=server.port, cookies=cookies, csrf=CSRF)

    return echo
