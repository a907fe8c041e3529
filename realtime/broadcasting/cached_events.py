"""The last event of each cache channel, which new subscribers receive (Pusher, "Cache channels")."""

from dataclasses import dataclass

from realtime.broadcasting.expiring_values import expiring_values
from realtime.channels import Audience

EXPIRY = 30 * 60  # seconds (Pusher: 30 minutes)


@dataclass(frozen=True)
class CachedEvent:
    """A finished frame, its data, and the seconds until it expires."""

    frame: str
    data: str
    ttl: int


def put(channel: str, audience: Audience, frame: str, data: str) -> None:
    """Replace the last event of a cache channel. Raises ServiceUnavailable."""
    expiring_values().put(_key(channel, audience), {"frame": frame, "data": data}, seconds=EXPIRY)


def get(channel: str, audience: Audience) -> CachedEvent | None:
    """Return the last event of a cache channel for `audience`. Raises ServiceUnavailable."""
    found = expiring_values().get(_key(channel, audience))
    return None if found is None else CachedEvent(**found.value, ttl=found.ttl)


def _key(channel: str, audience: Audience) -> str:
    return f"{audience.value}.{channel}"
