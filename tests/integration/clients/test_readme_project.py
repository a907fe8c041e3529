"""Another project uses `realtime` as its README says: twenty lines, and a socket hears what it tells."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support import instances

README = instances.TOP / "realtime/README.md"
BLOCK = re.compile(r"```python\n# (newsroom/\S+)\n(.*?)```", re.DOTALL)


def environment() -> dict[str, str]:
    """Nothing of our project but that its packages can be imported."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return {**kept, "PYTHONPATH": str(instances.TOP)}


def manage(project: Path, *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=project, env=environment(), check=True, timeout=60)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a new project, and add to its files what the README shows."""
    top = tmp_path_factory.mktemp("project")
    subprocess.run(["django-admin", "startproject", "newsroom", top], env=environment(), check=True, timeout=60)
    for name, code in BLOCK.findall(README.read_text()):
        with (top / name).open("a") as file:
            file.write(f"\n{code}")
    manage(top, "migrate", "--verbosity", "0")
    return top


class Newsroom(instances.Server):
    """The project's development server."""

    def __init__(self, project: Path, directory: Path, port: int) -> None:
        super().__init__(directory, port=port, env=environment())
        self.spawning["cwd"] = project

    def answers(self) -> bool:
        """Whether it takes connections by now."""
        with suppress(OSError), connect(f"ws://127.0.0.1:{self.port}/app/news", open_timeout=5):
            return True
        return False


@pytest.fixture
def newsroom(project: Path, tmp_path: Path) -> Iterator[Newsroom]:
    with Newsroom(project, tmp_path, instances.free_port()) as server:
        yield server


def hear(socket: ClientConnection, event: str) -> dict:
    while True:
        frame = json.loads(socket.recv(timeout=10))
        if frame["event"] == event:
            return json.loads(frame["data"])


def subscribe(socket: ClientConnection, channel: str) -> None:
    socket.send(json.dumps({"event": "pusher:subscribe", "data": {"channel": channel}}))


def test_readme_project_is_twenty_lines() -> None:
    lines = [line for _, code in BLOCK.findall(README.read_text()) for line in code.splitlines() if line.strip()]
    assert len(lines) <= 20


def test_readme_project_serves_and_authorizes(project: Path, newsroom: Newsroom) -> None:
    with connect(f"ws://127.0.0.1:{newsroom.port}/app/news?protocol=7") as socket:
        hear(socket, "pusher:connection_established")
        subscribe(socket, "presence-desk.sports")
        assert hear(socket, "pusher:subscription_error")["status"] == 403
        subscribe(socket, "headlines")
        hear(socket, "pusher_internal:subscription_succeeded")
        telling = re.search(r"```python\n(from realtime import broadcast_now.*?)```", README.read_text(), re.DOTALL)
        manage(project, "shell", "-c", telling[1])
        assert hear(socket, "breaking") == {"title": "It works"}
