"""When the hub writes: at once, or with what will come in a moment."""

import pytest

from realtime.server import write_batching
from realtime.server.write_batching import BatchingPolicy


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands until a test puts it forward."""
    now = [1000.0]
    monkeypatch.setattr(write_batching.time, "monotonic", lambda: now[0])
    return now


def written(*sizes: int, seconds: float = 1) -> BatchingPolicy:
    """Return the pace of a hub that has written so many events, each time in so many seconds."""
    found = BatchingPolicy()
    for size in sizes:
        found.record(size, seconds)
    found.start()
    return found


def test_single_events_are_not_delayed(clock: list[float]) -> None:
    assert written().allows_write(1)
    assert written(1, 1).allows_write(1)


def test_event_waits_for_a_batch_of_the_recent_size(clock: list[float]) -> None:
    for sizes in ((15, 1), (1, 15), (15, 1, 1, 1)):
        assert not written(*sizes).allows_write(14)
        assert written(*sizes).allows_write(15)


def test_ended_burst_is_forgotten_after_four_writes(clock: list[float]) -> None:
    assert written(15, 1, 1, 1, 1).allows_write(1)


def test_delay_is_at_most_a_quarter_of_the_last_write(clock: list[float]) -> None:
    hub_pace = written(15, 15, seconds=2)
    clock[0] += 0.49
    assert not hub_pace.allows_write(1)
    clock[0] += 0.02
    assert hub_pace.allows_write(1)
