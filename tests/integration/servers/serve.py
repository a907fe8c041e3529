"""`manage.py serve` as an operator runs it: its workers, and a client that requests a page all the time."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.support.servers import instances

SETTINGS = {
    "DEBUG": "false",
    "REALTIME_APP_SECRET": "for-this-test-alone",
    "DJANGO_SETTINGS_MODULE": "tests.integration.servers.uncollected",
}


class Serve(instances.Server):
    """The production server on one port; with a `listener`, on that socket, which others hold open too."""

    words = "manage.py serve --port {port}"
    starts_within = 90  # seconds: its workers load the project at the same time

    def __init__(
        self,
        directory: Path,
        *,
        env: Mapping[str, str | None],
        listener: socket.socket | None = None,
        workers: int = 1,
        drain: float = 1,
        options: Sequence[str] = (),
    ) -> None:
        port = instances.free_port() if listener is None else listener.getsockname()[1]
        super().__init__(directory, port=port, env=instances.environment({**SETTINGS, **env}))
        self.command += ["--workers", str(workers), "--drain", str(drain), *options]
        if listener is not None:
            self.command += ["--fd", str(listener.fileno())]
            self.spawning["pass_fds"] = [listener.fileno()]

    def answers(self) -> bool:
        return "Serving on" in self.log.read_text() and super().answers()

    def workers(self) -> list[int]:
        """Return the process ids of its workers, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if _is_running(pid)]

    def has_other_workers(self, before: Sequence[int]) -> bool:
        """Return whether as many workers as before are there and serve, and none of those."""
        now = self.workers()
        return len(now) == len(before) and not {*now} & {*before} and self.answers()


def _is_running(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return False


@contextmanager
def requesting(
    server: instances.Server, path: str = "/healthz", *, cookies: str = "", pause: float = 0
) -> Iterator[list[float]]:
    """Request a page again and again while the block runs; each must get a 200. Yield how long each took."""
    answers: list[int] = []
    seconds: list[float] = []
    is_over = threading.Event()

    def request() -> None:
        while not is_over.wait(pause):
            connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
            begun = time.monotonic()
            connection.request("GET", path, headers={"Cookie": cookies})
            answers.append(connection.getresponse().status)
            seconds.append(time.monotonic() - begun)
            connection.close()

    thread = threading.Thread(target=request)
    thread.start()
    try:
        yield seconds
    finally:
        is_over.set()
        thread.join()
    assert set(answers) == {200}
