"""Concurrent transactions: in threads and on connections of their own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

from django.db import connection, transaction

TIMEOUT = 90  # seconds: reached only where something hangs, also on a busy machine


@contextmanager
def open_transaction(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[None]:
    """Call a verb in a transaction that has written when the block begins, and commits when it ends."""
    written, end = Event(), Event()

    def act() -> None:
        with transaction.atomic():
            verb(*args, **kwargs)
            written.set()
            assert end.wait(TIMEOUT)

    with ThreadPoolExecutor(1) as thread:
        acting = thread.submit(on_own_connection, act)
        try:
            assert written.wait(TIMEOUT), "The verb failed, or waits for a lock."
            yield
        finally:
            end.set()
            acting.result(TIMEOUT)


def run_concurrently(acts: Sequence[Callable[[], Any]]) -> None:
    """Run each act in a thread, all beginning together; raise what the first one that fails raises."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> None:
        ready.wait(TIMEOUT)
        act()

    with ThreadPoolExecutor(len(acts)) as threads:
        for acting in [threads.submit(on_own_connection, run, act) for act in acts]:
            acting.result(TIMEOUT)


def is_lock_awaited() -> bool:
    """Return whether a transaction waits for another one's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def on_own_connection(act: Callable[..., Any], *args: Any) -> None:
    """Call `act` from a thread that has no use for its connection afterwards."""
    try:
        act(*args)
    finally:
        connection.close()
