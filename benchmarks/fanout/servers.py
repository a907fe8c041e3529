"""The compared servers, each on one core; their publishers run on the other."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory

from benchmarks.cores import LOAD, SERVERS, on_core
from tests.support.servers import instances
from tests.support.servers.instances import TOP, Instance, free_port

HERE = Path(__file__).parent
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
NGINX = """
load_module {module};
daemon off; worker_processes 1; user {user}; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location = / {{
      nchan_subscriber websocket; nchan_channel_id $arg_channel; nchan_subscriber_first_message newest;
    }}
    location = /publish {{ nchan_publisher; nchan_channel_id $arg_channel; nchan_message_buffer_length 500; }}
  }}
}}
"""


class Unavailable(Exception):
    """A server that is not installed here."""


@dataclass(frozen=True)
class Place:
    """The environment of a measurement: PostgreSQL, Redis, and a folder with our C programs."""

    database_url: str
    redis_url: str
    programs: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment variables of our server."""
        secrets = {"SECRET_KEY": "for-this-benchmark", "REALTIME_APP_SECRET": "for-this-benchmark", "DEBUG": "false"}
        settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.fanout.settings", "DATABASE_URL": self.database_url}
        return instances.environment(secrets | settings | {"REDIS_URL": self.redis_url})


@dataclass(frozen=True)
class Served:
    """A running server: its ports, and the process group for its CPU time."""

    port: int
    control: int
    group: int

    def cpu(self) -> float:
        """Return the CPU seconds used."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                words = stat.read_text().rpartition(")")[2].split()
                if int(words[2]) == self.group:
                    ticks += int(words[11]) + int(words[12])
        return ticks / os.sysconf("SC_CLK_TCK")


Serve = Callable[[Place], AbstractContextManager[Served]]


@dataclass(frozen=True)
class Contender:
    """A server by name, its protocol, and how it is started."""

    name: str
    speaks: str
    serve: Serve


class Peer(Instance):
    """A server that is up once its ports are open."""

    def __init__(self, command: list[str], directory: Path, *ports: int, env: dict[str, str] | None = None) -> None:
        super().__init__(command, directory, cwd=TOP, env=env)
        self.ports = ports

    def answers(self) -> bool:
        """Return whether all its ports are open."""
        for port in self.ports:
            try:
                create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
        return True


@contextmanager
def place() -> Iterator[Place]:
    """Run PostgreSQL and Redis on the load's core, migrate, and compile the C programs."""
    with ExitStack() as stack:
        programs = Path(stack.enter_context(TemporaryDirectory(prefix="tikm-", dir="/tmp")))
        for name in ("load", "ceiling"):
            subprocess.run(["cc", "-O2", "-o", programs / name, HERE / f"{name}.c"], check=True)
        stack.enter_context(on_core(LOAD))
        database, redis = stack.enter_context(instances.postgres()), stack.enter_context(instances.redis_server())
        where = Place(database, redis.url, programs)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, cwd=TOP, env=where.env)
        yield where


def ours(kind: str, publisher: str) -> Serve:
    """Return a function that runs our server as `kind` of the tests' SERVERS, with a publisher."""

    @contextmanager
    def serve(place: Place) -> Iterator[Served]:
        started = instances.server(
            kind, database_url=place.database_url, redis_url=place.redis_url, env=dict(place.env)
        )
        with ExitStack() as stack:
            with on_core(SERVERS):
                server = stack.enter_context(started)
            control = stack.enter_context(publishing(publisher, place.env))
            yield Served(server.port, control, server.process.pid)

    return serve


def stock(*words: str) -> Serve:
    """Return a function that runs stock Channels with a server command."""

    @contextmanager
    def serve(place: Place) -> Iterator[Served]:
        port, env = free_port(), {**os.environ, "REDIS_URL": place.redis_url}
        command = [sys.executable, "-m", *words, str(port), "benchmarks.fanout.stock:application"]
        with peer(command, port, env=env) as group, publishing("stock", env) as control:
            yield Served(port, control, group)

    return serve


def direct(*words: str) -> Serve:
    """Return a function that runs a server with its own control port; {programs} and {here} are folders."""

    @contextmanager
    def serve(place: Place) -> Iterator[Served]:
        port, control = free_port(), free_port()
        command = [word.format(programs=place.programs, here=HERE) for word in words]
        with peer([*command, str(port), str(control)], port, control) as group:
            yield Served(port, control, group)

    return serve


@contextmanager
def nchan(place: Place) -> Iterator[Served]:
    """Run nginx with nchan."""
    if not NCHAN.exists():
        raise Unavailable("not installed here: Debian has it in libnginx-mod-nchan and nginx-light")
    port = free_port()
    with TemporaryDirectory(prefix="tikm-", dir="/tmp") as folder:
        settings = Path(folder) / "nginx.conf"
        user = "root" if os.geteuid() == 0 else "nobody"  # codespell:ignore nobody
        settings.write_text(NGINX.format(module=NCHAN, folder=folder, port=port, user=user))
        command = ["nginx", "-p", folder, "-c", str(settings)]
        with peer(command, port) as group, publishing("nchan", dict(os.environ), str(port)) as control:
            yield Served(port, control, group)


@contextmanager
def peer(command: list[str], *ports: int, env: dict[str, str] | None = None) -> Iterator[int]:
    """Run a server on the servers' core and yield its process group."""
    with TemporaryDirectory(prefix="tikm-", dir="/tmp") as folder, ExitStack() as stack:
        with on_core(SERVERS):
            server = stack.enter_context(Peer(command, Path(folder), *ports, env=env))
        yield server.process.pid


@contextmanager
def publishing(kind: str, env: dict[str, str], address: str = "") -> Iterator[int]:
    """Run a publisher on the load's core and yield its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.fanout.publisher", kind, str(port), address]
    with TemporaryDirectory(prefix="tikm-", dir="/tmp") as folder, Peer(command, Path(folder), port, env=env):
        yield port


CEILING, OURS = "ceiling", "ours"
UVICORN = "uvicorn", "--log-level", "warning", "--ws-per-message-deflate", "false", "--port"
CONTENDERS = {
    each.name: each
    for each in (
        Contender(CEILING, "plain", direct("{programs}/ceiling")),
        Contender(OURS, "pusher", ours("uvicorn", "ours")),
        Contender("ours-log", "pusher", ours("uvicorn", "log")),
        Contender("ours-daphne", "pusher", ours("daphne", "ours")),
        Contender("nchan", "plain", nchan),
        Contender("ws", "plain", direct("node", "{here}/ws.js")),
        Contender("socket.io", "socketio", direct("node", "{here}/socketio.js")),
        Contender("stock-uvicorn", "plain", stock(*UVICORN)),
        Contender("stock-daphne", "plain", stock("daphne", "-v0", "-p")),
    )
}
