"""What sockets hear of replies: each ticket's, once each and in order."""

import json
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

EVENT = b'"ticket.reply.created"'


class Astray(Exception):
    """An event was lost, came twice or out of order."""


@dataclass
class Ear:
    """One socket that hears one ticket, and what it heard: when, and the frame."""

    channel: str
    frames: list[tuple[float, bytes]] = field(default_factory=list)

    def hear(self, payload: bytes) -> None:
        """Keep the frame, to be read when nothing is measured any more."""
        if EVENT in payload and self.channel.encode() in payload:
            self.frames.append((time.monotonic(), payload))

    def told(self) -> list[tuple[float, dict[str, Any]]]:
        """Return when what was told on its channel."""
        frames = ((moment, json.loads(payload)) for moment, payload in self.frames)
        return [(moment, json.loads(frame["data"])) for moment, frame in frames if frame["channel"] == self.channel]


def check(ears: list[Ear], made: dict[str, int]) -> dict[str, int]:
    """Return what went astray, of so many replies on each channel: lost, doubled, reordered."""
    astray = {"lost": 0, "doubled": 0, "reordered": 0}
    for ear in ears:
        numbers = [data["seq"] for _, data in ear.told()]
        astray["lost"] += made[ear.channel] - len(set(numbers))
        astray["doubled"] += len(numbers) - len(set(numbers))
        astray["reordered"] += sum(later < earlier for earlier, later in pairwise(numbers))
    return astray


def insist(rows: list[dict[str, Any]]) -> None:
    """Raise Astray if anything went astray in any row."""
    if any(row[kind] for row in rows for kind in ("lost", "doubled", "reordered")):
        raise Astray("Something was lost, came twice or out of order: see the table.")
