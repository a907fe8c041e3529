"""Private PostgreSQL, Redis and TIKM servers for tests: up in a moment, gone with the test run."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import psycopg
import redis

TOP = Path(__file__).resolve().parents[3]
START_SECONDS = 90.0  # on a busy machine; a process that ends is noticed at once
STOP_SECONDS = 5.0
# A tethered process ends with the thread that starts it, and a coroutine test runs in a thread of its own.
_STARTER = ThreadPoolExecutor(max_workers=1)


def wait_until(predicate: Callable[[], object], *, timeout: float, message: str) -> None:
    """Return once `predicate` is true; raise TimeoutError(`message`) after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise TimeoutError(message)
        time.sleep(0.02)


class Instance:
    """A process leading a group of its own; on Linux it does not outlive the test run."""

    stopped_by = signal.SIGTERM
    orphaned_by = signal.SIGKILL
    starts_within = START_SECONDS

    def __init__(self, command: list[str], directory: Path, **spawning: Any) -> None:
        self.command = command
        self.log = directory / "log"
        self.spawning = {"cwd": directory, **spawning}
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return once it answers; if it does not, what it wrote is in the error's notes."""
        self.process = self._spawn()
        try:
            wait_until(self._is_up, timeout=self.starts_within, message=f"{self.command} does not answer.")
        except BaseException as error:
            self.kill()
            error.add_note(self.log.read_text(errors="replace"))
            raise

    def stop(self) -> None:
        """Ask it to end, and make it after STOP_SECONDS."""
        self._end(self.stopped_by, signal.SIGKILL)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Have it stand still, its connections open, while the block runs."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def answers(self) -> bool:
        """Whether it serves by now."""
        raise NotImplementedError

    def _spawn(self) -> subprocess.Popen[bytes]:
        return _STARTER.submit(self._start_process).result()

    def _start_process(self) -> subprocess.Popen[bytes]:
        command = [*_tether(self.orphaned_by), *self.command]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                **self.spawning,
            )

    def _is_up(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command} ended with {self.process.returncode}.")
        return self.answers()

    def _end(self, *signals: signal.Signals) -> None:
        # Once waited for, its id may be anyone's.
        if self.process.returncode is not None:
            return
        for number in signals:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, number)
                self.process.wait(timeout=STOP_SECONDS)


class Postgres(Instance):
    """A PostgreSQL server on a Unix socket in `directory`, its data beside it."""

    # On SIGTERM it would wait for its clients; killed, it would leave shared memory behind.
    stopped_by = orphaned_by = signal.SIGQUIT

    def __init__(self, directory: Path) -> None:
        options = (
            f"-D {directory}/data -k {directory} -c listen_addresses="
            " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        )
        super().__init__([f"{postgres_programs()}/postgres", *options.split()], directory, **unprivileged())
        self.url = f"postgres://postgres@/postgres?host={directory}"

    def answers(self) -> bool:
        """Whether it lets a client in by now."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.url):
            return True
        return False


class RedisServer(Instance):
    """A Redis or Valkey server on a Unix socket in `directory`; it forgets everything when it ends."""

    def __init__(self, directory: Path) -> None:
        path = directory / "redis.sock"
        options = f"--port 0 --unixsocket {path} --appendonly no --loglevel warning --save"
        super().__init__([_program("redis-server", "valkey-server"), *options.split(), ""], directory)
        self.url = f"unix://{path}"

    def answers(self) -> bool:
        """Whether it answers a ping by now."""
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False

    def cut_pubsub(self) -> int:
        """Cut the connection of every subscriber and return how many there were."""
        with redis.Redis.from_url(self.url) as client:
            return int(client.client_kill_filter(_type="pubsub"))


class RedisOnPort(Instance):
    """A Redis server on a port of the loopback interface, as Sentinels need it; of another one with `replica_of`."""

    def __init__(self, directory: Path, *, replica_of: int | None = None) -> None:
        self.port = free_port()
        options = f"--port {self.port} --bind 127.0.0.1 --dir {directory} --repl-diskless-sync-delay 0 --save"
        words = [_program("redis-server", "valkey-server"), *options.split(), ""]
        words += ["--replicaof", "127.0.0.1", str(replica_of)] if replica_of else []
        super().__init__(words, directory)
        self.url = f"redis://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Whether it answers a ping by now, and is in step with its master."""
        with suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.info("replication").get("master_link_status", "up") == "up")
        return False


class RedisSentinel(Instance):
    """A Sentinel that promotes the replica of `master` a second after it is gone."""

    def __init__(self, directory: Path, *, name: str, master: int) -> None:
        self.port, self._name = free_port(), name
        settings = directory / "sentinel.conf"
        settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {directory}\nsentinel monitor {name} 127.0.0.1 {master} 1\n"
            f"sentinel down-after-milliseconds {name} 1000\nsentinel failover-timeout {name} 3000\n"
        )
        super().__init__([_program("redis-server", "valkey-server"), str(settings), "--sentinel"], directory)

    def master(self) -> int:
        """Return the port of the master."""
        with redis.Redis(port=self.port) as client:
            return int(client.sentinel_get_master_addr_by_name(self._name)[1])

    def answers(self) -> bool:
        """Whether it knows the master and its replica by now."""
        with suppress(redis.RedisError), redis.Redis(port=self.port, decode_responses=True) as client:
            return int(client.sentinel_master(self._name)["num-slaves"]) > 0
        return False


class Server(Instance):
    """A TIKM server on a port of the loopback interface: the one for development."""

    words = "manage.py runserver --noreload 127.0.0.1:{port}"

    def __init__(self, directory: Path, *, port: int, env: Mapping[str, str]) -> None:
        super().__init__([sys.executable, *self.words.format(port=port).split()], directory, cwd=TOP, env=env)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        """Return whether /healthz answers 200."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=STOP_SECONDS)) as connection:
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
            except (OSError, HTTPException):
                return False


class SocketServer(Server):
    """One process of the production server, with sockets and pages, without the arbiter."""

    stopped_by = signal.SIGKILL  # on SIGTERM it keeps presence entries until their users had time to reconnect

    def _spawn(self) -> subprocess.Popen[bytes]:
        with socket.create_server(("127.0.0.1", self.port), backlog=2048) as listener:
            self.command = [sys.executable, "-m", "tests.support.servers.socket_server", str(listener.fileno())]
            self.spawning["pass_fds"] = (listener.fileno(),)
            return super()._spawn()


SERVERS = {"daphne": Server, "uvicorn": SocketServer}


@contextmanager
def postgres(fill: Callable[[Path], None] | None = None) -> Iterator[str]:
    """Run a fresh PostgreSQL and yield its DATABASE_URL; `fill` puts its data into an empty directory."""
    with _directory() as directory:
        if identity := unprivileged():
            shutil.chown(directory, identity["user"], identity["group"])
        (fill or initialise)(directory)
        with Postgres(directory) as instance:
            yield instance.url


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run an empty Redis; after `kill()`, `start()` opens the same socket again."""
    with _directory() as directory, RedisServer(directory) as instance:
        yield instance


@contextmanager
def server(
    kind: str,
    *,
    database_url: str,
    redis_url: str | None = None,
    port: int | None = None,
    env: Mapping[str, str | None] | None = None,
) -> Iterator[Server]:
    """Run TIKM as `kind` of SERVERS on a migrated database; None in `env` unsets a variable."""
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, **(env or {})}
    with (
        _directory() as directory,
        SERVERS[kind](directory, port=port or free_port(), env=environment(settings)) as instance,
    ):
        yield instance


@contextmanager
def _directory() -> Iterator[Path]:
    # A socket's path holds some hundred bytes: $TMPDIR may be too deep.
    with TemporaryDirectory(prefix="tikm-", dir="/tmp") as name:
        yield Path(name)


def environment(settings: Mapping[str, str | None]) -> dict[str, str]:
    """Return this process's environment with what a test server needs, and `settings` over it."""
    ours = {
        "DEBUG": "true",
        "SECRET_KEY": "for-tests-only",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DEFAULT_FROM_EMAIL": "desk@example.com",
        "PYTHONUNBUFFERED": "1",
        # pytest-django sets another one for itself.
        "DJANGO_SETTINGS_MODULE": "tikm.settings",
    }
    return {name: value for name, value in {**os.environ, **ours, **settings}.items() if value is not None}


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def initialise(directory: Path) -> None:
    """Initialize a PostgreSQL cluster in `directory` that trusts all local clients."""
    identity = unprivileged()
    locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    options = f"-D {directory}/data -U postgres -A trust --no-sync --encoding UTF8 --locale {locale}"
    command = [f"{postgres_programs()}/initdb", *options.split()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=directory, **identity)


def postgres_programs() -> Path:
    """Return the folder that holds the newest PostgreSQL server."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: float(path.parts[-3]), default=None)
    return (newest or Path(_program("initdb")).resolve()).parent


def _program(*names: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"There is no {' or '.join(names)} here: .ci/services says what to install.")


def _tether(number: signal.Signals) -> list[str]:
    """Return the words before a command that have it get `number` when the thread that starts it ends."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", number.name, "--"] if setpriv else []


def unprivileged() -> dict[str, Any]:
    """Return how to start a program that refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}  # codespell:ignore nobody
