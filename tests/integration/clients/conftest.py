"""Fixtures: a site on a SQLite file, its servers, and third-party clients under Node."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.integration.clients.ephemeral_publisher import EphemeralPublisher
from tests.support.clients.node_clients import NodeClient
from tests.support.servers import instances, migrated
from tests.support.servers.http_client import CSRF, HttpClient

EVERY_KIND = "tests.integration.clients.all_channel_types_settings"


@dataclass(frozen=True)
class Desk:
    """Casey's ticket, the users and their credentials, and the database."""

    database_url: str
    ticket: str
    ids: dict[str, str]
    sessions: dict[str, str]
    tokens: dict[str, str]

    @property
    def channel(self) -> str:
        """The ticket's, as Echo calls it: without `private-`."""
        return f"tickets.{self.ticket}"

    def serve(self, kind: str, **env: str) -> Any:
        """Run a server of this kind that knows the sessions."""
        secret = {"SECRET_KEY": os.environ["SECRET_KEY"]}
        return instances.server(kind, database_url=self.database_url, env=secret | env)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    path = tmp_path_factory.mktemp("desk") / "desk.sqlite3"
    migrated.copy_to_file(path)
    database_url = f"sqlite:///{path}"
    settings = {"DATABASE_URL": database_url, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-m", "tests.integration.clients.prepare_database"]
    environment = {**os.environ, **settings}
    prepared = subprocess.run(command, cwd=instances.TOP, env=environment, check=True, stdout=subprocess.PIPE)
    return Desk(database_url, **json.loads(prepared.stdout))


@pytest.fixture(scope="session")
def daphne(desk: Desk) -> Iterator[instances.Server]:
    with desk.serve("daphne") as server:
        yield server


@pytest.fixture
def fresh_desk(desk: Desk, daphne: instances.Server) -> Desk:
    """The site with a ticket of the test's own: users leave its presence channel seconds after they disconnect."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {desk.tokens['casey']}"}
    body = {"subject": "Refund", "content": "Where is it?", "office": 1}
    request = Request(f"{daphne.url}/api/v1/tickets/", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=20) as response:
        return replace(desk, ticket=json.load(response)["uuid"])


@pytest.fixture(scope="session")
def uvicorn(desk: Desk) -> Iterator[instances.Server]:
    with desk.serve("uvicorn") as server:
        yield server


@pytest.fixture(scope="session")
def every_kind(desk: Desk) -> Iterator[instances.Server]:
    """A server of the same site with channels of every kind."""
    with desk.serve("uvicorn", DJANGO_SETTINGS_MODULE=EVERY_KIND) as server:
        yield server


@pytest.fixture(scope="session")
def back_end(desk: Desk) -> Iterator[EphemeralPublisher]:
    """A process of the site without sockets; what it broadcasts reaches all servers."""
    settings = {"DATABASE_URL": desk.database_url, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": EVERY_KIND}
    with EphemeralPublisher({**os.environ, **settings}) as back_end:
        yield back_end


@pytest.fixture
def nobodys_port() -> Iterator[int]:
    """A port without a listener."""
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
    """Start Echo with the user's session."""

    def echo(name: str, server: instances.Server) -> NodeClient:
        cookies = HttpClient(server.url, desk.sessions[name]).cookies
        return start("echo.js", port=server.port, cookies=cookies, csrf=CSRF)

    return echo


@pytest.fixture
def pusher(desk: Desk, start: Callable[..., NodeClient]) -> Callable[..., NodeClient]:
    """Start pusher-js with the user's session."""

    def pusher(name: str, server: instances.Server) -> NodeClient:
        cookies = HttpClient(server.url, desk.sessions[name]).cookies
        return start("pusher.js", port=server.port, cookies=cookies, csrf=CSRF)

    return pusher
