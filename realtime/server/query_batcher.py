"""Run the queries of many sockets in batches: one thread and one database connection for all that wait."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import OperationalError, close_old_connections, connection

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
Query = Callable[[], Any]
Pending = tuple[asyncio.Future[Any], Query]

BATCH_SIZE = 16  # the first of a batch waits for the last
MIN_LOW_PRIORITY = 4  # of a batch, however many of normal priority wait
MAX_LOW_PRIORITY_QUEUE = 200  # waiting queries: about a second's work


class DatabaseUnavailable(Exception):
    """The database accepts no connection."""


class QueryBatcher:
    """Runs the synchronous functions that are submitted on one event loop."""

    def __init__(self) -> None:
        self._queue: list[Pending] = []
        self._low_priority: list[Pending] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a synchronous function where it may use the database; return what it returns.

        Raises what the function raises, and DatabaseUnavailable if the database accepts no connection.
        """
        return await self._submit(self._queue, partial(query, *args, **kwargs))

    async def run_low_priority(self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Like `run`, but after all normal-priority queries.

        Used for new connections, so that sockets already open finish subscribing first.
        """
        return await self._submit(self._low_priority, partial(query, *args, **kwargs))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued or running."""
        return self._task is None

    @property
    def is_overloaded(self) -> bool:
        """Whether new connections wait noticeably long."""
        return len(self._low_priority) > MAX_LOW_PRIORITY_QUEUE

    async def _submit(self, queue: list[Pending], query: Callable[[], R]) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        queue.append((future, query))
        if self._task is None:
            self._task = asyncio.create_task(self._run_batches())
        return await future

    async def _run_batches(self) -> None:
        try:
            while self._queue or self._low_priority:
                await self._run_batch([each for each in self._next_batch() if not each[0].done()])
        finally:
            self._task = None

    def _next_batch(self) -> list[Pending]:
        batch = _take(self._queue, BATCH_SIZE - min(MIN_LOW_PRIORITY, len(self._low_priority)))
        return batch + _take(self._low_priority, BATCH_SIZE - len(batch))

    async def _run_batch(self, batch: list[Pending]) -> None:
        try:
            outcomes = await database_sync_to_async(_run_all)([query for _, query in batch])
        except Exception as error:
            batch += _take(self._queue) + _take(self._low_priority)
            outcomes = [(None, error)] * len(batch)
            logger.warning("database unavailable waiting=%s error=%s", len(batch), error)
        for (future, _), (result, failure) in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def _take(queue: list[Pending], count: int | None = None) -> list[Pending]:
    taken = queue[:count]
    del queue[:count]
    return taken


def _run_all(queries: list[Query]) -> list[tuple[Any, Exception | None]]:
    """Return what each query returned or raised. Raises DatabaseUnavailable."""
    outcomes: list[tuple[Any, Exception | None]] = []
    for query in queries:
        try:
            outcomes.append((query(), None))
        except OperationalError as error:
            if connection.connection is None:
                raise DatabaseUnavailable(str(error)) from error
            outcomes.append((None, error))
        except Exception as error:
            outcomes.append((None, error))
        if outcomes[-1][1] is not None:
            close_old_connections()  # the next query must not get a broken connection
    return outcomes
