"""Events: what is broadcast, on which channels, to which audience, and with which data."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from realtime.channels import Audience
from realtime.limits import MAX_EVENT_SIZE


class PayloadTooLarge(ValueError):
    """An event's data exceeds MAX_EVENT_SIZE bytes, and its class does not implement `shorten`."""


@dataclass(frozen=True)
class ForChannel:
    """A channel whose subscribers all receive `version`, whatever their audience."""

    channel: str
    version: Audience


@dataclass(frozen=True)
class OnlyAudience:
    """Exactly one audience: `OnlyAudience(PUBLIC)` is not sent to staff, who receive another event."""

    audience: Audience


class Event(ABC):
    """An event to publish. Nothing has a default, so that nothing leaks by omission."""

    broadcast_as: ClassVar[str]

    @abstractmethod
    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return full Pusher channel names; subscribers to a bare name receive the version of their audience."""

    @abstractmethod
    def broadcast_to(self) -> Audience | OnlyAudience:
        """Return the audience: STAFF for staff only, PUBLIC for all subscribers, or exactly one."""

    @abstractmethod
    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the data that `audience` may receive, by an allow-list."""

    @abstractmethod
    def broadcast_guard(self) -> str:
        """Return the channel that must still authorize a user when the history replays this event; "" for none."""

    def broadcast_ordering_key(self) -> str:
        """Return the key of events that each socket receives in the order of the log; "" for no order.

        Publish events with one key one after another, under a lock. By default it is the guard.
        """
        return self.broadcast_guard()

    def shorten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a smaller form of data that exceeds MAX_EVENT_SIZE bytes. Raises PayloadTooLarge by default."""
        raise PayloadTooLarge(f"{self.broadcast_as} exceeds {MAX_EVENT_SIZE} bytes.")


def iso(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
