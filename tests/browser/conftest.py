"""Real browsers on a real server: one browser per user of the cast."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.support.network import Wire
from tests.support import database_reset
from tests.support.cast import PASSWORD
from tests.support.servers import instances, migrated

# The shell first: it draws no window around each page, for which the others start as many processes again.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
QUIET = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--in-process-gpu",  # nothing is drawn by hardware: one process less to hand each picture to
]  # fmt: skip


# Longer than a busy machine takes.
expect.set_options(timeout=15_000)


class Person:
    """A user's browser: its pages, every frame their sockets received, and script errors."""

    def __init__(self, browser: Browser, wire: Wire, **options: Any) -> None:
        self.wire = wire
        # Nothing moves: what fades in has its colours at once, and nothing is drawn sixty times a second.
        self.context = browser.new_context(base_url=wire.url, reduced_motion="reduce", **options)
        self.frames: list[str] = []
        self.problems: list[str] = []

    def page(self, path: str = "/tickets/") -> Page:
        """Open a page in a tab of its own."""
        page = self.context.new_page()
        page.on("websocket", self._listen)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._note)
        page.goto(path)
        return page

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.problems.append(message.text)

    def _listen(self, socket: Any) -> None:
        socket.on("framereceived", lambda text: self.frames.append(str(text)))


@dataclass
class Desk:
    """A running desk: its server processes, its cast and their sessions, and browsers to look at it."""

    servers: list[instances.Server]
    cast: dict[str, Any]
    browser: Browser
    stack: ExitStack
    console: "Console"
    put_back: Callable[[], None]

    @property
    def ticket(self) -> str:
        """The address of Casey's ticket."""
        return f"/tickets/{self.cast['ticket']}/"

    def manage(self, *command: str) -> str:
        """Run a command of manage.py on the desk's database, and return what it printed."""
        return self.console.run(*command)

    def visitor(self, *, server: int = -1, **options: Any) -> Person:
        """Return the browser of an anonymous visitor, on a separate network connection."""
        wire = Wire(self.servers[server].port)
        self.stack.callback(wire.close)
        person = Person(self.browser, wire, **options)
        self.stack.callback(person.context.close)
        return person

    def enter(self, name: str, **options: Any) -> Person:
        """Return the browser of a signed-in user of the cast."""
        person = self.visitor(**options)
        session = {"name": "sessionid", "value": self.cast["sessions"][name], "url": person.wire.url}
        person.context.add_cookies([session])
        return person


def sign_in(page: Page, name: str) -> None:
    """Fill in the sign-in page, and wait for the dashboard."""
    page.locator("[name=login]").fill(f"{name}@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    expect(page).to_have_url(re.compile(r"://[^/]+/$"))


def is_live(page: Page) -> None:
    """Wait until the page says that it is live."""
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "true", timeout=15_000)


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def standing_small_desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desk on a SQLite file and nothing else."""
    path = tmp_path_factory.mktemp("stage")
    staged, live = path / "staged.sqlite3", path / "desk.sqlite3"
    migrated.copy_to_file(staged)
    cast = set_stage(f"sqlite:///{staged}")
    for file in path.glob(f"{staged.name}*"):
        shutil.copy(file, str(file).replace(staged.name, live.name))
    database = f"sqlite:///{live}"
    with ExitStack() as stack:
        servers = [serve(stack, "daphne", database, None)]
        console = stack.enter_context(Console(database))
        yield Desk(servers, cast, chromium, stack, console, database_reset.of_sqlite(live, staged))


@pytest.fixture(scope="session")
def standing_large_desk(chromium: Browser) -> Iterator[Desk]:
    """The desk with everything: PostgreSQL, Redis and two processes."""
    with ExitStack() as stack:
        database = stack.enter_context(migrated.postgres())
        redis = stack.enter_context(instances.redis_server()).url
        cast = set_stage(database)
        put_back = database_reset.of_postgres(database)
        servers = [serve(stack, "uvicorn", database, redis) for _ in range(2)]
        yield Desk(servers, cast, chromium, stack, stack.enter_context(Console(database)), put_back)


@pytest.fixture(params=["postgresql-redis-two-processes", "sqlite-and-nothing-else"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The desk, once with everything and once with nothing."""
    size = "large" if "redis" in request.param else "small"
    yield from opened(request.getfixturevalue(f"standing_{size}_desk"))


@pytest.fixture
def small_desk(standing_small_desk: Desk) -> Iterator[Desk]:
    """The desk on SQLite, where services make no difference."""
    yield from opened(standing_small_desk)


def opened(standing: Desk) -> Iterator[Desk]:
    """Yield a desk as it was on its first day, and close the browsers that a test opened there."""
    standing.put_back()
    with ExitStack() as stack:
        yield replace(standing, stack=stack)


def serve(stack: ExitStack, kind: str, database: str, redis: str | None) -> instances.Server:
    # The key by which the sessions of the stage are sealed.
    env = {"SECRET_KEY": os.environ["SECRET_KEY"], "DJANGO_SETTINGS_MODULE": "tests.browser.settings"}
    return stack.enter_context(instances.server(kind, database_url=database, redis_url=redis, env=env))


class Console:
    """A process that runs manage.py commands on `database`, started with the first of them."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.communicate()

    def run(self, *command: str) -> str:
        """Run `command`, and return what it printed; raise EOFError if it failed."""
        if self.process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.browser.support.console"], **pipes, **on(self.database)
            )
        print(json.dumps(command), file=self.process.stdin, flush=True)
        if not (answer := self.process.stdout.readline()):
            raise EOFError(f"{command} failed.")
        return json.loads(answer)


def set_stage(database: str) -> dict[str, Any]:
    """Write the cast to `database`, in a process of its own: this one never touches a server's database."""
    command = [sys.executable, "-m", "tests.browser.support.stage"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, **on(database)).stdout)


def on(database: str) -> dict[str, Any]:
    """Return the environment and the directory of a Python process on `database`."""
    environment = {**os.environ, "DATABASE_URL": database, "DEBUG": "true"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return {"env": environment, "cwd": instances.TOP}
