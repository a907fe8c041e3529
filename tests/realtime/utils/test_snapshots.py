"""Snapshots: what a moment of the log has seen, while transactions begin and end in any order."""

import pytest

from realtime.utils.snapshots import MAX_RUNNING, Snapshot


@pytest.mark.parametrize(
    ("position", "is_seen"), [(1, True), (99, True), (100, False), (101, True), (105, False), (110, False)]
)
def test_snapshot_sees_what_had_committed(position: int, is_seen: bool) -> None:
    assert Snapshot(110, (100, 105)).sees(position) is is_seen


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [(Snapshot(7), "7"), (Snapshot(7, (3,)), "7:3"), (Snapshot(2**63 - 1, (1, 2**62)), f"{2**63 - 1}:1,{2**62}")],
)
def test_snapshot_as_text_is_read_again(snapshot: Snapshot, text: str) -> None:
    assert snapshot.encode() == text
    assert Snapshot.decode(text) == snapshot


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (Snapshot(7), Snapshot(8)),
        (Snapshot(7, (3, 4)), Snapshot(7, (3,))),
        (Snapshot(7, (3,)), Snapshot(7)),
        (Snapshot(7), Snapshot(8, (7,))),
        (Snapshot(7, (3,)), Snapshot(9, (3, 7, 8))),
    ],
)
def test_snapshots_are_ordered_in_time(earlier: Snapshot, later: Snapshot) -> None:
    assert earlier.is_before(later)
    assert not later.is_before(earlier)
    assert not earlier.is_before(earlier)


def test_snapshot_of_too_many_transactions_sees_less() -> None:
    running = list(range(200, 200 - MAX_RUNNING - 10, -1))
    found = Snapshot.of(500, running)
    assert len(found.running) == MAX_RUNNING
    assert found.end == sorted(running)[MAX_RUNNING]
    assert not any(found.sees(position) for position in running)
    assert Snapshot.of(500, [3, 1]) == Snapshot(500, (1, 3))
