"""The status of the servers: processes, channels, the last event and pending webhook events."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from realtime.conf import config
from realtime.models import Broadcast, WebhookEvent
from realtime.presence.store import Occupancy, ProcessReport, presence_store


@dataclass(frozen=True)
class ServerStatus:
    """The status of all server processes; rates in frames per second, ages in seconds."""

    processes: list[ProcessReport]
    channels: dict[str, Occupancy]
    last_event: str = ""
    last_event_age: float | None = None
    webhooks_waiting: int | None = None  # events; None without webhooks
    webhooks_oldest_age: float | None = None  # of the waiting events
    sockets: int = field(init=False)
    subscriptions: int = field(init=False)
    sent: float = field(init=False)
    received: float = field(init=False)

    def __post_init__(self) -> None:
        """Sum up the processes."""
        for name in ("sockets", "subscriptions", "sent", "received"):
            object.__setattr__(self, name, round(sum(getattr(each, name) for each in self.processes), 1))


def read_status() -> ServerStatus:
    """Return the current status. Raises ServiceUnavailable, DatabaseError."""
    # Commands to server processes are log rows too; their names start with a number sign.
    events = Broadcast.objects.exclude(event__startswith="#")
    last = events.order_by("-pk").values_list("event", "created_at").first()
    event, age = ("", None) if last is None else (last[0], round((timezone.now() - last[1]).total_seconds(), 1))
    return ServerStatus(presence_store().processes(), presence_store().occupied(), event, age, *_waiting_webhooks())


def _waiting_webhooks() -> tuple[int | None, float | None]:
    if not config().webhooks:
        return None, None
    waiting = WebhookEvent.objects.filter(failed_delivery="").aggregate(number=Count("*"), oldest=Min("created_at"))
    oldest = waiting["oldest"] and round((timezone.now() - waiting["oldest"]).total_seconds(), 1)
    return waiting["number"], oldest


def local_time(timestamp: float) -> datetime:
    """Return a Unix timestamp as a time in the current time zone."""
    return timezone.localtime(datetime.fromtimestamp(timestamp, timezone.get_current_timezone()))


def display_name(member: Any) -> str:
    """Return the name of a presence member, else its id."""
    name = member.info.get("name") if isinstance(member.info, dict) else None
    return str(name or member.id)
