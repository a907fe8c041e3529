"""Checks that sockets receive each reply once and in order."""

import json
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

EVENT = b'"ticket.reply.created"'


class DeliveryError(Exception):
    """An event was lost, doubled or reordered."""


@dataclass
class Recorder:
    """Records the frames of one ticket at one socket, with their times."""

    channel: str
    frames: list[tuple[float, bytes]] = field(default_factory=list)

    def record(self, payload: bytes) -> None:
        """Keep the frame, to be parsed after the measurement."""
        if EVENT in payload and self.channel.encode() in payload:
            self.frames.append((time.monotonic(), payload))

    def received(self) -> list[tuple[float, dict[str, Any]]]:
        """Return the time and data of each event on the channel."""
        frames = ((moment, json.loads(payload)) for moment, payload in self.frames)
        return [(moment, json.loads(frame["data"])) for moment, frame in frames if frame["channel"] == self.channel]


def check(recorders: list[Recorder], made: dict[str, int]) -> dict[str, int]:
    """Count lost, doubled and reordered events, given the number of replies made on each channel."""
    errors = {"lost": 0, "doubled": 0, "reordered": 0}
    for recorder in recorders:
        numbers = [data["seq"] for _, data in recorder.received()]
        errors["lost"] += made[recorder.channel] - len(set(numbers))
        errors["doubled"] += len(numbers) - len(set(numbers))
        errors["reordered"] += sum(later < earlier for earlier, later in pairwise(numbers))
    return errors


def require_delivery(rows: list[dict[str, Any]]) -> None:
    """Raise DeliveryError if any row has an error."""
    if any(row[kind] for row in rows for kind in ("lost", "doubled", "reordered")):
        raise DeliveryError("Events were lost, doubled or reordered: see the table.")
