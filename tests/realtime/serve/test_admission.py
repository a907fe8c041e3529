"""Admission control: few history requests run at a time, so that a page that is opened does not wait behind them."""

import asyncio

import pytest

from realtime.serve import admission
from realtime.serve.admission import (
    HALF_LIFE,
    MAX_CONCURRENT,
    MAX_QUEUED,
    MAX_RETRY_AFTER,
    MAX_VIEWS,
    MIN_INTERVAL_UNDER_LOAD,
    MIN_RETRY_AFTER,
    BoundedQueue,
    Refused,
    history_path,
)
from tests.support.sockets import until


@pytest.fixture
def clock(monkeypatch):
    """Return the time, which only the test changes; a random Retry-After is always the longest."""
    now = [1000.0]
    monkeypatch.setattr(admission.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(admission.random, "uniform", lambda least, most: most)
    return now


async def arrive(queue, number):
    """Have so many requests arrive, one after the other; each returns its Retry-After, or None."""

    async def acquire():
        try:
            await queue.acquire(under_load=False)
        except Refused as refused:
            return int(dict(refused._headers)[b"retry-after"])

    tasks = [asyncio.create_task(acquire()) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def fill():
    """Return a queue with as many running and waiting as allowed, and those that wait."""
    queue = BoundedQueue()
    tasks = await arrive(queue, MAX_CONCURRENT + MAX_QUEUED)
    return queue, tasks[MAX_CONCURRENT:]


async def cancel(waiting):
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_history_leaves_half_of_the_views_to_pages():
    assert MAX_CONCURRENT * 2 == MAX_VIEWS


def test_project_without_history_has_no_history_path(settings):
    assert history_path() == "/broadcasting/history"
    settings.ROOT_URLCONF = "allauth.urls"
    assert history_path() is None


async def test_full_queue_refuses_one_more_with_retry_after():
    queue = BoundedQueue()
    tasks = await arrive(queue, MAX_CONCURRENT + MAX_QUEUED + 1)
    done = [each for each in tasks if each.done()]
    assert [each.result() for each in done[:MAX_CONCURRENT]] == [None] * MAX_CONCURRENT
    assert [tasks.index(each) for each in done[MAX_CONCURRENT:]] == [MAX_CONCURRENT + MAX_QUEUED]
    assert 1 <= done[-1].result() <= MIN_RETRY_AFTER
    await cancel(tasks)


async def test_released_slot_goes_to_the_longest_waiting_that_is_still_there():
    queue, (gone, *waiting) = await fill()
    await cancel([gone])
    queue.release()
    await until(lambda: any(each.done() for each in waiting))
    assert [each.done() for each in waiting] == [True] + [False] * (MAX_QUEUED - 2)
    assert not (await arrive(queue, 1))[0].done()
    await cancel(waiting)


async def test_all_slots_are_free_again_after_all_are_released():
    queue, waiting = await fill()
    for _ in range(MAX_CONCURRENT + MAX_QUEUED):
        queue.release()
    assert await asyncio.gather(*waiting) == [None] * MAX_QUEUED
    last = await arrive(queue, MAX_CONCURRENT + 1)
    assert [each.done() for each in last] == [True] * MAX_CONCURRENT + [False]
    await cancel(last)


async def test_under_load_one_request_is_admitted_per_interval(clock):
    queue, refused = BoundedQueue(), 0
    for _ in range(3):
        try:
            await queue.acquire(under_load=True)
        except Refused:
            refused += 1
        else:
            queue.release()
        clock[0] += MIN_INTERVAL_UNDER_LOAD / 3
    assert refused == 2
    await queue.acquire(under_load=True)
    await queue.acquire(under_load=False)


async def test_retry_after_grows_with_refused_requests_and_decays(clock):
    queue, waiting = await fill()
    pauses = [await each for each in await arrive(queue, 5000)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[499], pauses[-1]) == (MIN_RETRY_AFTER, 10, MAX_RETRY_AFTER)
    clock[0] += 20 * HALF_LIFE
    assert [await each for each in await arrive(queue, 1)] == [MIN_RETRY_AFTER]
    await cancel(waiting)


async def test_requests_refused_together_return_at_different_times():
    queue, waiting = await fill()
    assert len({await each for each in await arrive(queue, 3000)}) > MAX_RETRY_AFTER / 2
    await cancel(waiting)
