"""What many sockets ask the database at the same time."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from realtime.server import query_batcher
from realtime.server.query_batcher import (
    BATCH_SIZE,
    MAX_LOW_PRIORITY_QUEUE,
    MIN_LOW_PRIORITY,
    DatabaseUnavailable,
    QueryBatcher,
)
from tests.support.sockets import until

pytestmark = pytest.mark.django_db(transaction=True)


async def ask_all(asked: QueryBatcher, *inquiries: Any) -> list[Any]:
    """Ask these at once; return what each returned or raised."""
    return await asyncio.gather(*(asked.run(each) for each in inquiries), return_exceptions=True)


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were answered by each hop to the database's thread."""
    inquire, sizes = query_batcher._run_all, list[int]()

    def count(inquiries: Any) -> Any:
        sizes.append(len(inquiries))
        return inquire(inquiries)

    monkeypatch.setattr(query_batcher, "_run_all", count)
    return sizes


async def test_concurrent_queries_share_a_bounded_batch(hops: list[int]) -> None:
    numbers = range(BATCH_SIZE + 2)
    assert await ask_all(QueryBatcher(), *(lambda n=n: n for n in numbers)) == list(numbers)
    assert hops == [BATCH_SIZE, 2]


async def test_low_priority_queries_wait_but_do_not_starve(
    hops: list[int],
) -> None:
    asked, order = QueryBatcher(), list[str]()
    newcomers = [asked.run_low_priority(order.append, "comes") for _ in range(BATCH_SIZE)]
    others = [asked.run(order.append, "is in") for _ in range(2 * BATCH_SIZE)]
    await asyncio.gather(*newcomers, *others)
    own = BATCH_SIZE - MIN_LOW_PRIORITY
    assert order[:BATCH_SIZE] == ["is in"] * own + ["comes"] * MIN_LOW_PRIORITY
    assert order[BATCH_SIZE : 2 * BATCH_SIZE] == ["is in"] * own + ["comes"] * MIN_LOW_PRIORITY
    assert order[-2 * MIN_LOW_PRIORITY :] == ["comes"] * 2 * MIN_LOW_PRIORITY


async def test_batcher_is_overloaded_while_many_new_connections_wait() -> None:
    asked, seen = QueryBatcher(), list[bool]()
    await asyncio.gather(
        *(asked.run(lambda: seen.append(asked.is_overloaded)) for _ in range(2 * MAX_LOW_PRIORITY_QUEUE))
    )
    assert set(seen) == {False}
    await asyncio.gather(
        *(asked.run_low_priority(lambda: seen.append(asked.is_overloaded)) for _ in range(2 * MAX_LOW_PRIORITY_QUEUE))
    )
    assert set(seen[2 * MAX_LOW_PRIORITY_QUEUE : 3 * MAX_LOW_PRIORITY_QUEUE - BATCH_SIZE]) == {True}
    assert set(seen[3 * MAX_LOW_PRIORITY_QUEUE :]) == {False}


async def test_failed_query_does_not_affect_others() -> None:
    def fail() -> None:
        raise ValueError("no")

    first, failed, last = await ask_all(QueryBatcher(), lambda: 1, fail, lambda: 3)
    assert (first, str(failed), last) == (1, "no", 3)


async def test_cancelled_query_is_not_run(hops: list[int]) -> None:
    asked, is_through = QueryBatcher(), threading.Event()
    first = asyncio.create_task(asked.run(is_through.wait))
    await until(lambda: hops)
    gone, last = (asyncio.create_task(asked.run(lambda n=n: n)) for n in (2, 3))
    await asyncio.sleep(0)
    gone.cancel()
    is_through.set()
    assert (await first, await last) == (True, 3)
    assert hops == [1, 1]


async def test_one_query_probes_an_unavailable_database(hops: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_in_vain() -> None:
        raise OperationalError("couldn't get a connection after 10.00 sec")

    asked = QueryBatcher()
    monkeypatch.setattr(query_batcher, "connection", SimpleNamespace(connection=None))
    newcomers = asyncio.gather(*(asked.run_low_priority(wait_in_vain) for _ in range(20)), return_exceptions=True)
    answers = await ask_all(asked, *[wait_in_vain] * (3 * BATCH_SIZE)) + await newcomers
    assert {type(answer) for answer in answers} == {DatabaseUnavailable}
    assert hops == [BATCH_SIZE]
    assert await asked.run(lambda: "back") == "back"


async def test_failed_query_does_not_mark_the_database_unavailable(
    hops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(query_batcher, "connection", SimpleNamespace(connection="a connection"))
    failed, answered = await ask_all(QueryBatcher(), fail, lambda: 2)
    assert (type(failed), answered) == (OperationalError, 2)
