"""Where in the log each group was told something last: whoever has missed nothing learns it without the database."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Final

from realtime.broadcasting.event_log import group_of
from realtime.models import Delivery

MOST: Final = 10_000  # groups


class LastEvents:
    """What one process knows of the last deliveries: from the tail, which reads all, and the faster layer."""

    def __init__(self) -> None:
        self._floor: float = inf  # the position from which on it is known what was told
        self._last: dict[str, int] = {}  # by group; whoever was told something is put at the end
        self._heard: dict[str, float] = {}  # when the layer brought what the tail has not read since

    def begin(self, floor: int, last: Mapping[str, int]) -> None:
        """Start with where groups were told something last, the lowest position first: all from a floor on."""
        self._floor, self._last = floor, dict(last)
        self._let_go()

    def hear(self, group: str, now: float) -> None:
        """Note that a group was told something, nobody knows yet where in the log; `now` in monotonic seconds."""
        self._heard[group] = now

    def read(self, deliveries: Iterable[Delivery], begun: float) -> None:
        """Take in what was read of the log, by a reading that began at that moment."""
        for each in deliveries:
            group = group_of(each)
            self._last[group] = max(each.position, self._last.pop(group, 0))
        self._heard = {group: at for group, at in self._heard.items() if at >= begun}
        self._let_go()

    def is_silent(self, groups: Iterable[str], since: int) -> bool:
        """Say whether it is certain that none of the groups was told anything at or above a position.

        What was not read nor heard here does not count: it is going to be told.
        """
        return since >= self._floor and all(
            group not in self._heard and self._last.get(group, -1) < since for group in groups
        )

    def _let_go(self) -> None:
        while len(self._last) > MOST:
            self._floor = max(self._floor, self._last.pop(next(iter(self._last))) + 1)
