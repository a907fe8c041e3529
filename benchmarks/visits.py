"""Opens a page repeatedly, in a separate process, and records how long each takes."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection

TIMEOUT = 30  # seconds for a page
AT_ONCE = 64


@dataclass(frozen=True)
class Visit:
    """One page: when it was due (`time.monotonic()`), its duration in seconds, its success."""

    due: float
    took: float
    succeeded: bool


class Visits:
    """All visits; complete when the block has ended."""

    def __init__(self) -> None:
        self.all: list[Visit] = []

    def between(self, begin: float, end: float) -> list[Visit]:
        """Return the visits that overlap this time."""
        return [visit for visit in self.all if visit.due < end and begin <= visit.due + visit.took]


@contextmanager
def visiting(port: int, path: str, cookie: str, rate: float) -> Iterator[Visits]:
    """Open a page `rate` times per second while the block runs, without waiting for earlier ones."""
    spawn, visits = multiprocessing.get_context("spawn"), Visits()
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_visit, args=(theirs, port, path, cookie, rate), daemon=True)
    process.start()
    ours.recv()
    try:
        yield visits
    finally:
        ours.send("enough")
        visits.all = ours.recv()
        process.join()


def _visit(pipe: Connection, port: int, path: str, cookie: str, rate: float) -> None:
    is_over, found = threading.Event(), []

    def open_page(due: float) -> None:
        succeeded = _succeeds(port, path, cookie)
        found.append(Visit(due, time.monotonic() - due, succeeded))

    def wait_for_end() -> None:
        pipe.recv()
        is_over.set()

    pipe.send("begun")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        threading.Thread(target=wait_for_end, daemon=True).start()
        due = time.monotonic()
        while not is_over.wait(max(0, due - time.monotonic())):
            pool.submit(open_page, due)
            due += 1 / rate
    pipe.send(sorted(found, key=lambda visit: visit.due))


def _succeeds(port: int, path: str, cookie: str) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
        try:
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return False
        return answer.status == 200
