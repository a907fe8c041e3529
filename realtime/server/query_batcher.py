"""What sockets ask the database: many at once, by one thread that has one connection for all who wait."""

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
Inquiry = Callable[[], Any]
Asked = tuple[asyncio.Future[Any], Inquiry]

TOGETHER = 16  # of whom the first has the answer when the last one's is there
LAST = 4  # places of these that are theirs who ask last, however many wait before them
CROWD = 200  # who ask last and wait: a second's work


class DatabaseUnavailable(Exception):
    """The database lets nobody connect: whoever waits would wait in vain."""


class QueryBatcher:
    """Answers what is asked on one event loop."""

    def __init__(self) -> None:
        self._waiting: list[Asked] = []
        self._last: list[Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, inquiry: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what a synchronous function returns, called where it may read the database; raise what it raises.

        Raise Away if the database lets nobody connect, even if another one's inquiry has found that.
        """
        return await self._line_up(self._waiting, partial(inquiry, *args, **kwargs))

    async def ask_last(self, inquiry: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the same behind others, for newcomers say: those who are in are to get through, and not all half-way."""
        return await self._line_up(self._last, partial(inquiry, *args, **kwargs))

    @property
    def is_crowded(self) -> bool:
        """Whether so many wait that newcomers feel it."""
        return len(self._last) > CROWD

    async def _line_up(self, line: list[Asked], inquiry: Callable[[], R]) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        line.append((answer, inquiry))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting or self._last:
                await self._answer([each for each in self._next() if not each[0].done()])
        finally:
            self._task = None

    def _next(self) -> list[Asked]:
        first = _take(self._waiting, TOGETHER - min(LAST, len(self._last)))
        return first + _take(self._last, TOGETHER - len(first))

    async def _answer(self, asked: list[Asked]) -> None:
        try:
            outcomes = await database_sync_to_async(_inquire)([inquiry for _, inquiry in asked])
        except Exception as error:
            asked += _take(self._waiting) + _take(self._last)
            outcomes = [(None, error)] * len(asked)
            logger.warning("The database lets nobody connect, and %s wait for it: %s", len(asked), error)
        for (answer, _), outcome in zip(asked, outcomes, strict=True):
            if not answer.done():
                _settle(answer, *outcome)


def _take(line: list[Asked], most: int | None = None) -> list[Asked]:
    taken = line[:most]
    del line[:most]
    return taken


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


def _inquire(inquiries: list[Inquiry]) -> list[tuple[Any, Exception | None]]:
    """Return what each returned or raised."""
    outcomes: list[tuple[Any, Exception | None]] = []
    for inquiry in inquiries:
        try:
            outcomes.append((inquiry(), None))
        except OperationalError as error:
            if connection.connection is None:
                raise DatabaseUnavailable(str(error)) from error
            outcomes.append((None, error))
        except Exception as error:
            outcomes.append((None, error))
        if outcomes[-1][1] is not None:
            close_old_connections()  # the next one does not get what is broken
    return outcomes
