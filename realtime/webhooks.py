"""Webhooks: tells other servers who came and went."""

from typing import Any


def enqueue(events: list[dict[str, Any]]) -> None:
    """Have `events` sent to the configured addresses."""


async def deliver_forever() -> None:
    """Send what is waiting, for ever."""
