"""Of many pages that ask for what they missed a few are let in, so that nobody who opens a page waits behind them."""

import asyncio

import pytest
from pytest_django import Settings

from realtime.serving import turnstile
from realtime.serving.pages import THREADS
from realtime.serving.turnstile import HALF_LIFE, LINE, LONGEST, MOST, SHORTEST, SPARSE, Turnstile, history_path
from tests.support.sockets import until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands until a test puts it forward; chance lets everybody wait as long as may be."""
    now = [1000.0]
    monkeypatch.setattr(turnstile.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(turnstile.random, "uniform", lambda least, most: most)
    return now


async def come(found: Turnstile, number: int) -> list[asyncio.Task[int | None]]:
    """Have so many come, one after the other."""
    tasks = [asyncio.create_task(found.enter(is_crowded=False)) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def pauses(found: Turnstile, number: int) -> list[int]:
    """Return for how long so many are turned away, of whom none is let in."""
    told = [await each for each in await come(found, number)]
    return [pause for pause in told if pause is not None]


async def full() -> tuple[Turnstile, list[asyncio.Task[int | None]]]:
    """Return a turnstile with as many inside, and waiting, as may be; and those who wait."""
    found = Turnstile()
    everybody = await come(found, MOST + LINE)
    return found, everybody[MOST:]


async def end(waiting: list[asyncio.Task[int | None]]) -> None:
    """Have those who wait go."""
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_half_the_threads_are_left_to_pages() -> None:
    assert MOST * 2 == THREADS


def test_a_project_that_has_no_history_has_no_turnstile(settings: Settings) -> None:
    assert history_path() == b"/broadcasting/history"
    settings.ROOT_URLCONF = "allauth.urls"
    assert history_path() is None


async def test_some_are_let_in_others_wait_and_one_more_is_told_when_to_come_again() -> None:
    found = Turnstile()
    everybody = await come(found, MOST + LINE + 1)
    done = [each for each in everybody if each.done()]
    assert [each.result() for each in done[:MOST]] == [None] * MOST
    assert [everybody.index(each) for each in done[MOST:]] == [MOST + LINE]
    assert 1 <= (done[-1].result() or 0) <= SHORTEST
    await end(everybody)


async def test_whoever_leaves_makes_room_for_who_has_waited_longest_and_is_still_there() -> None:
    found, (gone, *waiting) = await full()
    await end([gone])
    found.leave()
    await until(lambda: any(each.done() for each in waiting))
    assert [each.done() for each in waiting] == [True] + [False] * (LINE - 2)
    assert not (await come(found, 1))[0].done()  # there is room in the line, and nowhere else
    await end(waiting)


async def test_when_all_have_left_there_is_room_for_as_many() -> None:
    found, waiting = await full()
    for _ in range(MOST + LINE):
        found.leave()
    assert await asyncio.gather(*waiting) == [None] * LINE
    last = await come(found, MOST + 1)
    assert [each.done() for each in last] == [True] * MOST + [False]
    await end(last)


async def test_while_many_come_back_with_their_sockets_one_is_let_in_now_and_then(clock: list[float]) -> None:
    found = Turnstile()
    for expected in (None, SHORTEST, SHORTEST):
        assert await found.enter(is_crowded=True) == expected
        if expected is None:
            found.leave()
        clock[0] += SPARSE / 3
    assert await found.enter(is_crowded=True) is None
    assert await found.enter(is_crowded=False) is None


async def test_the_more_are_turned_away_the_later_they_come_again(clock: list[float]) -> None:
    found, waiting = await full()
    told = await pauses(found, 5000)
    assert told == sorted(told)
    assert (told[0], told[499], told[-1]) == (SHORTEST, 10, LONGEST)
    clock[0] += 20 * HALF_LIFE
    assert await pauses(found, 1) == [SHORTEST]
    await end(waiting)


async def test_those_who_are_turned_away_together_do_not_come_together() -> None:
    found, waiting = await full()
    assert len(set(await pauses(found, 3000))) > LONGEST / 2
    await end(waiting)
