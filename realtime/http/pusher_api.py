"""Pusher's HTTP API, for programs that hold the app's secret: publish events, query channels and users.

Events are sent at once and are not logged. docs/reference/http-api.md lists the differences from Pusher.
"""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime import limits, protocol
from realtime.broadcasting import cached_events, ephemeral
from realtime.channels import Audience
from realtime.http.pusher_requests import (
    EVENT_INFO,
    ApiError,
    EventRequest,
    SignedRequest,
    check_channel,
    check_presence_channel,
    has_members,
    is_user_id,
    read_batch,
    read_event,
    read_info,
    signed,
)
from realtime.presence.store import Occupancy, presence_store


@signed("POST")
def trigger(request: SignedRequest) -> dict[str, Any]:
    """Publish an event on up to 100 channels."""
    fields = request.json()
    names = fields.get("channels")
    event = read_event(fields, [fields.get("channel")] if names is None else names)
    _publish(event)
    return {"channels": _info_of_each(event.channels, event.info)} if event.info else {}


@signed("POST")
def trigger_batch(request: SignedRequest) -> dict[str, Any]:
    """Publish up to ten events, or none of them if one is invalid."""
    events = read_batch(request.json())
    for event in events:
        _publish(event)
    if not any(event.info for event in events):
        return {}
    return {"batch": [info for event in events for info in _info_of_each(event.channels, event.info).values()]}


@signed("GET")
def list_channels(request: SignedRequest) -> dict[str, Any]:
    """List the occupied channels."""
    info = read_info(request.query.get("info"), EVENT_INFO)
    prefix = request.query.get("filter_by_prefix", "")
    if "user_count" in info and not prefix.startswith("presence-"):
        raise ApiError(400, "Only presence channels have a user_count; set `filter_by_prefix` to presence-.")
    occupied = {name: found for name, found in presence_store().occupied(prefix).items() if not name.startswith("#")}
    return {"channels": {name: _channel_info(name, found, info) for name, found in occupied.items()}}


@signed("GET")
def show_channel(request: SignedRequest, channel: str) -> dict[str, Any]:
    """Return whether a channel is occupied, and what `info` names."""
    check_channel(channel)
    info = read_info(request.query.get("info"), EVENT_INFO | {"cache"})
    if "user_count" in info:
        check_presence_channel(channel)
    found = presence_store().occupancy([channel])[channel]
    shown = {"occupied": found.subscriptions > 0, **_channel_info(channel, found, info)}
    return shown | {"cache": _cached_event(channel)} if "cache" in info else shown


@signed("GET")
def list_users(request: SignedRequest, channel: str) -> dict[str, Any]:
    """List the members of a presence channel; the list may be empty."""
    check_channel(channel)
    check_presence_channel(channel)
    members = presence_store().occupancy([channel])[channel].members
    return {"users": [{"id": user_id} for user_id in members]}


@signed("POST")
def terminate_connections(request: SignedRequest, user_id: str) -> dict[str, Any]:
    """Close all connections of a user (Pusher: "Terminate user connections")."""
    if not is_user_id(user_id):
        raise ApiError(400, f"A user id must have 1 to {limits.MAX_USER_ID_LENGTH} printable characters.")
    ephemeral.disconnect(users=[user_id])
    return {}


@signed("GET")
def count_connections(request: SignedRequest) -> dict[str, Any]:
    """Return the number of connections to all server processes, as Reverb does."""
    return {"connections": sum(report.sockets for report in presence_store().processes())}


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer a health check, as Reverb does."""
    return JsonResponse({"health": "OK"})


def _publish(event: EventRequest) -> None:
    ephemeral.broadcast_now(event.channels, event.name, event.data, except_socket=event.except_socket)


def _info_of_each(names: Iterable[str], info: frozenset[str]) -> dict[str, dict[str, int]]:
    """Return the requested info of each channel, without what a channel of its type does not have."""
    occupancy = presence_store().occupancy(names) if info else {}
    return {name: _channel_info(name, occupancy[name], info) if info else {} for name in names}


def _channel_info(channel: str, found: Occupancy, info: frozenset[str]) -> dict[str, int]:
    counts = {}
    if "user_count" in info and has_members(channel):
        counts["user_count"] = len(found.members)
    if "subscription_count" in info:
        counts["subscription_count"] = found.subscriptions
    return counts


def _cached_event(channel: str) -> dict[str, Any] | None:
    if "cache-" not in protocol.channel_type(channel):
        raise ApiError(400, "Only cache channels have a `cache`.")
    event = cached_events.get(channel, Audience.PUBLIC)
    return None if event is None else {"data": event.data, "ttl": event.ttl}
