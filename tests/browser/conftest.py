"""Real browsers on a real server: each person of the cast in a browser of his own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests import instances
from tests.browser.wire import Wire
from tests.cast import PASSWORD

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chromium-headless-shell"))), None)
QUIET = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


class Person:
    """Somebody's browser: its pages, every frame that their sockets heard, and what went wrong in their scripts."""

    def __init__(self, browser: Browser, wire: Wire, **options: Any) -> None:
        self.wire = wire
        self.context = browser.new_context(base_url=wire.url, **options)
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
    """A running desk: its server processes, its cast, and browsers to look at it."""

    servers: list[instances.Server]
    cast: dict[str, str]
    browser: Browser
    stack: ExitStack
    database: str
    sign_ins: dict[str, Any] = field(default_factory=dict)

    @property
    def ticket(self) -> str:
        """The address of Casey's ticket."""
        return f"/tickets/{self.cast['ticket']}/"

    def manage(self, *command: str) -> str:
        """Run a command of manage.py on the desk's database, and return what it printed."""
        return run(self.database, "manage.py", *command)

    def visitor(self, *, server: int = -1, **options: Any) -> Person:
        """Return the browser of somebody who is not signed in, on a wire of his own."""
        wire = Wire(self.servers[server].port)
        self.stack.callback(wire.close)
        person = Person(self.browser, wire, **options)
        self.stack.callback(person.context.close)
        return person

    def enter(self, name: str, **options: Any) -> Person:
        """Sign `name` of the cast in."""
        person = self.visitor(**options)
        page = person.page("/login/")
        sign_in(page, name)
        is_live(page)
        page.close()
        return person

    def again(self, name: str, **options: Any) -> Person:
        """Return another browser of somebody whose sign-in is known."""
        if name not in self.sign_ins:
            self.sign_ins[name] = self.enter(name).context.storage_state()
        return self.visitor(storage_state=self.sign_ins[name], **options)


def sign_in(page: Page, name: str) -> None:
    """Fill in the sign-in page, and wait for the dashboard."""
    page.locator("[name=login]").fill(f"{name}@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(re.compile(r"://[^/]+/$"))


def is_live(page: Page) -> None:
    """Wait until the page says that it is live."""
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "true", timeout=15_000)


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A SQLite file with the cast in it, made once and copied for each test."""
    path = tmp_path_factory.mktemp("stage") / "desk.sqlite3"
    return path, set_stage(f"sqlite:///{path}")


@pytest.fixture(params=["postgresql-redis-two-processes", "sqlite-and-nothing-else"])
def desk(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[Desk]:
    """The desk, once with everything and once with nothing."""
    with ExitStack() as stack:
        if "redis" in request.param:
            yield with_everything(stack, chromium)
        else:
            yield with_nothing(stack, chromium, tmp_path, *request.getfixturevalue("stage"))


@pytest.fixture
def small_desk(chromium: Browser, tmp_path: Path, stage: tuple[Path, dict[str, str]]) -> Iterator[Desk]:
    """The desk on SQLite, where services make no difference."""
    with ExitStack() as stack:
        yield with_nothing(stack, chromium, tmp_path, *stage)


@pytest.fixture(scope="session")
def standing_desk(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, stage: tuple[Path, dict[str, str]]
) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield with_nothing(stack, chromium, tmp_path_factory.mktemp("standing"), *stage)


@pytest.fixture
def shared_desk(standing_desk: Desk) -> Iterator[Desk]:
    """A desk that stands for all tests: each has browsers of its own, and opens a ticket of its own."""
    with ExitStack() as stack:
        yield replace(standing_desk, stack=stack)


def with_everything(stack: ExitStack, browser: Browser) -> Desk:
    database = stack.enter_context(instances.postgres())
    redis = stack.enter_context(instances.redis_server()).url
    cast = set_stage(database)
    servers = [serve(stack, "uvicorn", database, redis) for _ in range(2)]
    return Desk(servers, cast, browser, stack, database)


def with_nothing(stack: ExitStack, browser: Browser, path: Path, staged: Path, cast: dict[str, str]) -> Desk:
    for file in staged.parent.glob(f"{staged.name}*"):
        shutil.copy(file, path)
    database = f"sqlite:///{path / staged.name}"
    return Desk([serve(stack, "daphne", database, None)], cast, browser, stack, database)


def serve(stack: ExitStack, kind: str, database: str, redis: str | None) -> instances.Server:
    return stack.enter_context(instances.server(kind, database_url=database, redis_url=redis))


def set_stage(database: str) -> dict[str, str]:
    """Write the cast to `database`, in a process of its own: this one never touches a server's database."""
    return json.loads(run(database, "-m", "tests.browser.stage"))


def run(database: str, *command: str) -> str:
    """Run a Python command on `database`, and return what it printed."""
    environment = {**os.environ, "DATABASE_URL": database, "DEBUG": "true"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    where = {"env": environment, "cwd": instances.TOP}
    return subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True, **where).stdout
