"""Erase a user from the event log and from the tables of processes. What Redis holds expires by itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from realtime import protocol
from realtime.broadcasting.channel_layer import RELAY_CHANNEL
from realtime.broadcasting.event_log import change_data
from realtime.channels import Audience
from realtime.models import Broadcast, ExpiringValue, PresenceEntry, RateCounter, ServerProcess, WebhookEvent


@dataclass(frozen=True)
class EventRewrite:
    """How the data of logged events changes that contain the user's id, a text of the erasure, or one of `names`."""

    names: Iterable[str]
    rewritten: Callable[[Audience, Any, Any], Any]  # version, its data, the data of the staff version or None


def erase_user(user_id: str, *, texts: Iterable[str], addresses: Iterable[str], events: EventRewrite) -> None:
    """Remove `texts`, such as names, and `addresses` of the network; run it in a transaction."""
    spelled = {spelling for text in texts for spelling in _spellings(text)}
    rows = Broadcast.objects.exclude(event=RELAY_CHANNEL)
    named = {user_id, *spelled, *events.names}
    change_data(rows.filter(_contains(["public", "staff"], named)), events.rewritten)
    Broadcast.objects.filter(_contains(["staff"], spelled), event=RELAY_CHANNEL).delete()
    WebhookEvent.objects.filter(_contains(["payload"], spelled)).delete()
    PresenceEntry.objects.filter(Q(member=user_id) | _contains(["shown"], spelled)).delete()
    ExpiringValue.objects.filter(pk__in=_expiring_keys(spelled)).delete()
    RateCounter.objects.filter(_contains(["key"], {user_id, *spelled, *addresses})).delete()
    for process in ServerProcess.objects.exclude(sockets=None):
        others = [socket for socket in process.sockets or () if socket.get("user_id") != user_id]
        ServerProcess.objects.filter(pk=process.pk).update(sockets=others)


def _spellings(text: str) -> set[str]:
    """Return the text as it is written in JSON, also in JSON within JSON: data within a frame within a value."""
    found = [text]
    for _ in range(3):
        found.append(protocol.encode(found[-1])[1:-1])
    return set(found)


def _contains(fields: Iterable[str], texts: Iterable[str]) -> Q:
    found = Q()
    for field in fields:
        for text in texts:
            found |= Q(**{f"{field}__icontains": text})
    return found


def _expiring_keys(texts: Iterable[str]) -> list[str]:
    """Return the keys of the values that contain one of the texts; databases escape JSON columns differently."""
    rows = ExpiringValue.objects.values_list("key", "value").iterator()
    return [key for key, value in rows if any(text in key or text in protocol.encode(value) for text in texts)]
