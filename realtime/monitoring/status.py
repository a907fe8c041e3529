"""How the servers are doing now: processes, channels, and what waits in the database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from realtime.conf import config
from realtime.models import Broadcast, WebhookEvent
from realtime.presence import store
from realtime.presence.store import Occupancy, Report


@dataclass(frozen=True)
class Overview:
    """What `read` found; rates in frames a second, ages in seconds."""

    processes: list[Report]
    channels: dict[str, Occupancy]
    last_event: str = ""
    last_event_age: float | None = None
    webhooks_waiting: int | None = None
    sockets: int = field(init=False)
    subscriptions: int = field(init=False)
    sent: float = field(init=False)
    received: float = field(init=False)

    def __post_init__(self) -> None:
        """Sum up."""
        for name in ("sockets", "subscriptions", "sent", "received"):
            object.__setattr__(self, name, round(sum(getattr(each, name) for each in self.processes), 1))


def read() -> Overview:
    """Return how it is now; raise census.Unavailable while the census cannot be read."""
    # What is for server processes alone has a number sign in front, and was told to nobody.
    told = Broadcast.objects.exclude(event__startswith="#")
    last = told.order_by("-pk").values_list("event", "created_at").first()
    event, age = ("", None) if last is None else (last[0], round((timezone.now() - last[1]).total_seconds(), 1))
    return Overview(store.processes(), store.occupied(), event, age, _webhooks_waiting())


def moment(seconds: float) -> datetime:
    """Return the time that is so many seconds after 1970, in the running time zone."""
    return timezone.localtime(datetime.fromtimestamp(seconds, timezone.get_current_timezone()))


def shown_name(member: Any) -> str:
    """Return how a member of a presence channel is shown to the others: by a name, else by the id."""
    name = member.info.get("name") if isinstance(member.info, dict) else None
    return str(name or member.id)


def _webhooks_waiting() -> int | None:
    """Return how many events wait to be posted; None where there are no webhooks."""
    return WebhookEvent.objects.count() if config().webhooks else None
