"""Snapshots: positions in the event log that stay exact while transactions are open.

PostgreSQL: the transactions whose rows were visible at a moment (`pg_current_snapshot()`). SQLite has one writer, and
the next id of the log serves.
"""

from dataclasses import dataclass
from typing import Self

MAX_RUNNING = 64  # transactions that a snapshot names


@dataclass(frozen=True)
class Snapshot:
    """A moment of the log: it sees the positions below `end`, except those of the transactions then `running`."""

    end: int
    running: tuple[int, ...] = ()

    @classmethod
    def of(cls, end: int, running: list[int]) -> Self:
        """Return the snapshot, or a slightly earlier one where more than MAX_RUNNING transactions are running."""
        running = sorted(running)
        return cls(running[MAX_RUNNING] if len(running) > MAX_RUNNING else end, tuple(running[:MAX_RUNNING]))

    @property
    def start(self) -> int:
        """The position below which it sees everything."""
        return self.running[0] if self.running else self.end

    def sees(self, position: int) -> bool:
        """Return whether a row of `position` was visible."""
        return position < self.end and position not in self.running

    def is_before(self, other: "Snapshot") -> bool:
        """Return whether it was taken before `other`: transactions begin in order, and only end in between."""
        return (self.end, -len(self.running)) < (other.end, -len(other.running))

    def encode(self) -> str:
        """Return it as text: a number, and after a colon the running transactions, if there are any."""
        return f"{self.end}:{','.join(map(str, self.running))}" if self.running else str(self.end)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the snapshot of a text made by `encode`."""
        end, _, running = text.partition(":")
        return cls(int(end), tuple(map(int, running.split(","))) if running else ())
