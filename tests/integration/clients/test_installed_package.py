"""The wheel of `realtime`, installed into a new project that its README builds, outside this repository."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from zipfile import ZipFile

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.clients.node_clients import NodeClient
from tests.support.servers import instances

PACKAGE = instances.TOP / "realtime"
README = (PACKAGE / "README.md").read_text()
PROJECT_FILE = re.compile(r"```python\n# (newsroom/\S+)\n(.*?)```", re.DOTALL)
OPTIONAL = ["channels_redis", "gunicorn", "httptools", "uvicorn", "uvloop", "websockets"]
TIMEOUT = 60  # seconds for a command

IMPORT_WITHOUT_EXTRAS = """
import sys
import django
sys.modules.update(dict.fromkeys({optional}))
django.setup()
import realtime.admin, realtime.http.middleware, realtime.routing, realtime.urls
repository, environment = {repository!r}, sys.prefix
paths = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values()) if module]
assert not [path for path in paths if path.startswith(repository) and not path.startswith(environment)]
print(realtime.__file__)
"""


def readme_block(beginning: str) -> str:
    """Return the Python block of the README that begins like this."""
    return re.search(rf"```python\n({re.escape(beginning)}.*?)```", README, re.DOTALL)[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", directory]
    subprocess.run(build, cwd=PACKAGE, check=True, timeout=TIMEOUT, capture_output=True)
    (path,) = directory.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the installed wheel is importable, and this repository is not."""
    target = tmp_path_factory.mktemp("installed")
    install = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--target", target, wheel]
    subprocess.run(install, check=True, timeout=TIMEOUT)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(target), "DJANGO_SETTINGS_MODULE": "newsroom.settings"}


@pytest.fixture(scope="module")
def project(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with the files of the README."""
    top = tmp_path_factory.mktemp("project")
    start = [sys.executable, "-m", "django", "startproject", "newsroom", top]
    subprocess.run(start, env={**environment, "DJANGO_SETTINGS_MODULE": ""}, check=True, timeout=TIMEOUT)
    for name, code in PROJECT_FILE.findall(README):
        with (top / name).open("a") as file:
            file.write(f"\n{code}")
    return top


@pytest.fixture(scope="module")
def run(project: Path, environment: dict[str, str]) -> Callable[..., str]:
    """Run Python in the project, after `migrate`; return what it prints."""

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=project,
            env=environment,
            check=True,
            timeout=TIMEOUT,
            text=True,
            stdout=subprocess.PIPE,
        )
        return done.stdout

    run("manage.py", "migrate", "--verbosity", "0")
    return run


class ProjectServer(instances.Server):
    """A server of the project."""

    stopped_by = signal.SIGKILL

    def __init__(self, words: str, project: Path, directory: Path, env: dict[str, str]) -> None:
        self.words = words
        super().__init__(directory, port=instances.free_port(), env=env)
        self.spawning["cwd"] = project

    def answers(self) -> bool:
        """Return whether it accepts WebSocket connections."""
        with suppress(OSError), connect(f"ws://127.0.0.1:{self.port}/app/news", open_timeout=5):
            return True
        return False


@pytest.fixture(scope="module")
def server(
    run: Callable, project: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProjectServer]:
    words = "manage.py runserver --noreload 127.0.0.1:{port}"
    with ProjectServer(words, project, tmp_path_factory.mktemp("server"), environment) as server:
        yield server


@pytest.fixture
def production_server(
    run: Callable, project: Path, environment: dict[str, str], tmp_path: Path
) -> Iterator[ProjectServer]:
    secret = "only-for-the-server-of-this-test"
    lines = [
        "from newsroom.settings import *",
        "DEBUG, ALLOWED_HOSTS = False, ['127.0.0.1']",
        f"SECRET_KEY = {secret!r}",
        "REALTIME['APP_SECRETS'] = [SECRET_KEY]",
    ]
    (project / "newsroom/production.py").write_text("\n".join(lines))
    settings = environment | {"DJANGO_SETTINGS_MODULE": "newsroom.production"}
    words = "manage.py serve --workers 1 --drain 0 --port {port}"
    with ProjectServer(words, project, tmp_path, settings) as server:
        yield server


def receive(socket: ClientConnection, event: str) -> dict:
    while True:
        frame = json.loads(socket.recv(timeout=10))
        if frame["event"] == event:
            return json.loads(frame["data"])


def subscribe(socket: ClientConnection, channel: str) -> None:
    socket.send(json.dumps({"event": "pusher:subscribe", "data": {"channel": channel}}))


def test_readme_project_has_at_most_twenty_lines() -> None:
    lines = [line for _, code in PROJECT_FILE.findall(README) for line in code.splitlines() if line.strip()]
    assert len(lines) <= 20


def test_wheel_contains_migrations_templates_static_files_and_types(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    list_files = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    sources = subprocess.run(list_files, cwd=PACKAGE, check=True, capture_output=True, text=True).stdout.split()
    expected = {f"realtime/{name}" for name in sources if (PACKAGE / name).exists()}
    expected -= {"realtime/pyproject.toml", "realtime/LICENSE"}
    assert {name for name in names if name.startswith("realtime/")} == expected
    assert "realtime/py.typed" in names
    assert "# Reverb for Django in five minutes" in metadata


def test_package_imports_without_extras_and_repository(run: Callable, project: Path, environment: dict) -> None:
    code = IMPORT_WITHOUT_EXTRAS.format(optional=OPTIONAL, repository=str(instances.TOP))
    assert run("-c", code).strip() == f"{environment['PYTHONPATH']}/realtime/__init__.py"


def test_clients_of_the_readme_project_receive_events(
    run: Callable, server: ProjectServer, start: Callable[..., NodeClient]
) -> None:
    client = start("pusher.js", port=server.port, key="news")
    client.do("subscribe", channel="headlines")
    client.sees("event", event="pusher:subscription_succeeded")
    http_api = readme_block("from pusher import Pusher").replace("8000", str(server.port))
    blocks = [
        readme_block("from realtime import broadcast_now"),
        readme_block("from dataclasses import dataclass"),
        f"from newsroom.settings import SECRET_KEY\n{http_api}",
    ]
    run("manage.py", "shell", "-c", "\n".join(blocks))
    received = [client.sees("event", channel="headlines") for _ in blocks]
    assert sorted(each["event"] for each in received) == ["breaking", "breaking", "headline.published"]
    assert {each["data"]["title"] for each in received} == {"It works"}


def test_readme_project_refuses_unauthorized_users(server: ProjectServer) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/app/news?protocol=7") as socket:
        receive(socket, "pusher:connection_established")
        subscribe(socket, "presence-desk.sports")
        assert receive(socket, "pusher:subscription_error")["status"] == 403
        subscribe(socket, "headlines")
        receive(socket, "pusher_internal:subscription_succeeded")


class WebhookReceiver(BaseHTTPRequestHandler):
    """Keeps the events that it receives."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.events += body["events"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_webhooks_of_the_package_are_sent_by_a_queue_of_the_project(run: Callable, project: Path) -> None:
    (project / "newsroom/hooks.py").write_text(readme_block("from threading import Timer"))
    with HTTPServer(("127.0.0.1", 0), WebhookReceiver) as receiver:
        receiver.events = []
        settings = {
            "WEBHOOKS": [f"http://127.0.0.1:{receiver.server_port}/"],
            "WEBHOOK_NETWORKS": ["127.0.0.1/32"],
            "WEBHOOK_QUEUE": "newsroom.hooks.send_webhooks",
        }
        code = [
            "from django.conf import settings",
            f"settings.REALTIME = {{**settings.REALTIME, **{settings}}}",
            "from realtime.webhooks import outbox",
            "outbox.enqueue([{'name': 'channel_occupied', 'channel': 'headlines'}])",
            "import threading",
            "[each.join() for each in threading.enumerate() if isinstance(each, threading.Timer)]",
        ]
        serving = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            run("manage.py", "shell", "-c", "\n".join(code))
        finally:
            receiver.shutdown()
            serving.join()
        assert receiver.events == [{"name": "channel_occupied", "channel": "headlines"}]


def test_production_server_of_the_package_delivers_events(run: Callable, production_server: ProjectServer) -> None:
    with connect(f"ws://127.0.0.1:{production_server.port}/app/news?protocol=7") as socket:
        receive(socket, "pusher:connection_established")
        subscribe(socket, "headlines")
        receive(socket, "pusher_internal:subscription_succeeded")
        run("manage.py", "shell", "-c", readme_block("from dataclasses import dataclass"))
        assert receive(socket, "headline.published")["title"] == "It works"
