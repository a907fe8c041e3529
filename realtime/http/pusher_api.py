"""The HTTP API of Pusher: programs that hold the app's secret publish events, and ask who is there.

An error is a status and a sentence as plain text. What comes in here is told at once and is not logged.
docs/reference/http-api.md says where this differs from Pusher's own.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from realtime import channels, limits, protocol
from realtime.broadcasting import ephemeral
from realtime.channels import Audience
from realtime.conf import config
from realtime.presence import store
from realtime.protocol import http_signatures
from realtime.utils import rate_limits

# On a page a client- event carries the server's word on which person sent it.
PROTOCOL_EVENTS = ("pusher:", "pusher_internal:", protocol.CLIENT_EVENT)
MAX_PARAMETERS = 50


class Refusal(Exception):
    """A request that is not done."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Call:
    """A request whose signature was checked."""

    query: Mapping[str, str]
    body: bytes

    def fields(self) -> dict[str, Any]:
        """Return the JSON object of the body."""
        try:
            value = json.loads(self.body.decode())
            protocol.encode(value).encode()
        except (ValueError, RecursionError):  # a lone surrogate is a ValueError too
            raise Refusal(400, "The body is a JSON object in UTF-8.") from None
        if not isinstance(value, dict):
            raise Refusal(400, "The body is a JSON object in UTF-8.")
        return value


@dataclass(frozen=True)
class Trigger:
    """One event that a program wants told."""

    name: str
    data: str
    channels: list[str]
    except_socket: str
    info: frozenset[str]

    def tell(self) -> None:
        """Tell it to the listeners of its channels, the data as it came."""
        ephemeral.broadcast_now(self.channels, self.name, self.data, except_socket=self.except_socket)


View = Callable[..., dict[str, Any]]


def signed(method: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Decorate a view that takes a Call, and answers a signed request with what becomes JSON."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @never_cache
        @require_http_methods([method])
        @wraps(view)
        def checked(request: HttpRequest, *, app_id: str | None = None, **parts: str) -> HttpResponse:
            try:
                return JsonResponse(view(_accept(request, app_id), **parts))
            except Refusal as refusal:
                return _refuse(refusal)
            except store.Unavailable:
                return _refuse(Refusal(503, "What this server has to remember is away; try again in a minute."))

        return checked

    return decorate


@signed("POST")
def trigger(call: Call) -> dict[str, Any]:
    """Tell one event on up to 100 channels."""
    fields = call.fields()
    names = fields.get("channels")
    event = _read_event(fields, [fields.get("channel")] if names is None else names)
    event.tell()
    return {"channels": _facts_of(event.channels, event.info)} if event.info else {}


@signed("POST")
def trigger_batch(call: Call) -> dict[str, Any]:
    """Tell up to ten events, or none of them if one is wrong."""
    batch = call.fields().get("batch")
    if not isinstance(batch, list) or not 1 <= len(batch) <= limits.MAX_BATCH_EVENTS:
        raise Refusal(400, f"batch is a list of 1 to {limits.MAX_BATCH_EVENTS} events.")
    events = [_read_member(number, fields) for number, fields in enumerate(batch, 1)]
    for event in events:
        event.tell()
    if not any(event.info for event in events):
        return {}
    return {"batch": [facts for event in events for facts in _facts_of(event.channels, event.info).values()]}


@signed("GET")
def list_channels(call: Call) -> dict[str, Any]:
    """Name the channels that somebody hears."""
    info = _read_info(call.query.get("info"), {"user_count", "subscription_count"})
    prefix = call.query.get("filter_by_prefix", "")
    if "user_count" in info and not prefix.startswith("presence-"):
        raise Refusal(400, "user_count is known of presence channels only: filter_by_prefix begins with presence-.")
    occupied = {name: seen for name, seen in store.occupied(prefix).items() if not name.startswith("#")}
    return {"channels": {name: _facts(name, seen, info) for name, seen in occupied.items()}}


@signed("GET")
def show_channel(call: Call, channel: str) -> dict[str, Any]:
    """Say whether anybody hears a channel, and what else is asked."""
    _check_channel(channel)
    info = _read_info(call.query.get("info"), {"user_count", "subscription_count", "cache"})
    if "user_count" in info:
        _check_presence(channel)
    seen = store.occupancy([channel])[channel]
    answer = {"occupied": seen.subscriptions > 0, **_facts(channel, seen, info)}
    return answer | {"cache": _cached(channel)} if "cache" in info else answer


@signed("GET")
def list_users(call: Call, channel: str) -> dict[str, Any]:
    """Name the members of a presence channel; nobody is an answer too."""
    _check_channel(channel)
    _check_presence(channel)
    members = store.occupancy([channel])[channel].members
    return {"users": [{"id": user_id} for user_id in members]}


@signed("POST")
def terminate(call: Call, user_id: str) -> dict[str, Any]:
    """Close every socket on which this person is signed in."""
    if not _is_user_id(user_id):
        raise Refusal(400, f"A user's id is a text of 1 to {limits.MAX_USER_ID_LENGTH} characters.")
    ephemeral.disconnect(users=[user_id])
    return {}


@signed("GET")
def count_connections(call: Call) -> dict[str, Any]:
    """Count the sockets of all server processes (Reverb's)."""
    return {"connections": sum(report.sockets for report in store.processes())}


@require_GET
@never_cache
def up(request: HttpRequest) -> JsonResponse:
    """Answer whoever asks whether this serves (Reverb's)."""
    return JsonResponse({"health": "OK"})


# -- Who asks


def _accept(request: HttpRequest, app_id: str | None) -> Call:
    """Return what was asked, if it is ours, now, for the first time and not too much."""
    settings = config()
    if app_id not in (None, settings.app_id):
        raise Refusal(404, f"There is no app {app_id!r} here.")
    query = _read_query(request)
    try:
        http_signatures.check(
            request.method or "",
            request.path,
            query,
            key=settings.app_key,
            secrets=settings.app_secrets,
            now=time.time(),
        )
        body = _read_body(request)
        http_signatures.check_body(query, body)
    except http_signatures.BadSignature as error:
        raise Refusal(401, str(error)) from None
    _check_pace(settings.app_id)
    if request.method == "POST" and settings.refuse_replays:
        _check_first(query["auth_signature"])
    return Call(query, body)


def _read_query(request: HttpRequest) -> dict[str, str]:
    """Return the parameters, their names in lower case; each is there once."""
    text = request.META.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise Refusal(400, f"The query has at most {MAX_PARAMETERS} parameters, in UTF-8.") from None
    query = {name.lower(): value for name, value in pairs}
    if len(query) < len(pairs):
        raise Refusal(400, "A parameter of the query is there twice.")
    return query


def _read_body(request: HttpRequest) -> bytes:
    """Read no more than a request may have."""
    try:
        body = request.read(limits.MAX_REQUEST_SIZE + 1)
    except OSError:
        raise Refusal(400, "The body could not be read.") from None
    if len(body) > limits.MAX_REQUEST_SIZE:
        raise Refusal(413, f"A request has at most {limits.MAX_REQUEST_SIZE} bytes.")
    return body


def _check_pace(app_id: str) -> None:
    if not rate_limits.allowed(limits.HTTP_API_RATE, "http_api", app_id):
        raise Refusal(429, "Too many requests; try again in a minute.")


def _check_first(signature: str) -> None:
    """Refuse what was accepted already; a time stamp from the future is good for twice the window."""
    if not store.is_first(f"http_api.{signature}", 2 * http_signatures.WINDOW):
        raise Refusal(401, "This very request was accepted before. To repeat it, sign it again in another second.")


def _refuse(refusal: Refusal) -> HttpResponse:
    response = HttpResponse(refusal.reason, status=refusal.status, content_type="text/plain; charset=utf-8")
    if refusal.status in (429, 503):
        response["Retry-After"] = str(limits.HTTP_API_RATE.get_expiry())
    return response


# -- What is asked


def _read_member(number: int, fields: Any) -> Trigger:
    """Read one event of a batch; what is wrong with it names its place."""
    if not isinstance(fields, dict):
        raise Refusal(400, f"Event {number} of the batch: an event is an object.")
    try:
        return _read_event(fields, [fields.get("channel")])
    except Refusal as refusal:
        raise Refusal(refusal.status, f"Event {number} of the batch: {refusal.reason}") from None


def _read_event(fields: dict[str, Any], names: Any) -> Trigger:
    return Trigger(
        _read_name(fields.get("name")),
        _read_data(fields.get("data")),
        _read_channels(names),
        _read_socket(fields.get("socket_id")),
        _read_info(fields.get("info"), {"user_count", "subscription_count"}),
    )


def _read_name(name: Any) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= limits.MAX_EVENT_NAME_LENGTH:
        raise Refusal(400, f"name is a text of 1 to {limits.MAX_EVENT_NAME_LENGTH} characters.")
    if name.startswith(PROTOCOL_EVENTS):
        raise Refusal(400, f"Names that begin with {' or '.join(PROTOCOL_EVENTS)} are the protocol's own.")
    if name.startswith(tuple(config().reserved_events)):
        raise Refusal(403, f"The event {name!r} is told by this server itself, and by nobody else.")
    return name


def _read_data(data: Any) -> str:
    if not isinstance(data, str):
        raise Refusal(400, "data is a text; what is not a text goes in as JSON.")
    if len(data.encode()) > limits.MAX_EVENT_SIZE:
        raise Refusal(413, f"data has at most {limits.MAX_EVENT_SIZE} bytes.")
    return data


def _read_channels(names: Any) -> list[str]:
    if not isinstance(names, list) or not 1 <= len(names) <= limits.MAX_TRIGGER_CHANNELS:
        raise Refusal(400, f"channels is a list of 1 to {limits.MAX_TRIGGER_CHANNELS} names.")
    for name in names:
        _check_channel(name)
    if len(names) > 1 and any(name.startswith("private-encrypted-") for name in names):
        raise Refusal(400, "An event for an encrypted channel is for that channel alone: no other has its key.")
    return list(dict.fromkeys(names))


def _read_socket(socket_id: Any) -> str:
    if socket_id is None:
        return ""
    if not isinstance(socket_id, str) or not protocol.SOCKET_ID.fullmatch(socket_id):
        raise Refusal(400, "socket_id is two numbers joined by a dot.")
    return socket_id


def _read_info(text: Any, known: set[str]) -> frozenset[str]:
    if not isinstance(text, str | None):
        raise Refusal(400, "info is a text: names joined by commas.")
    names = frozenset(name for name in (text or "").split(",") if name)
    if names - known:
        raise Refusal(
            400, f"info knows {', '.join(sorted(known))}, but not {', '.join(sorted(names - known))[:200]!r}."
        )
    return names


def _check_channel(name: Any) -> None:
    """Refuse a name that nobody could ever hear: on a server that knows its channels it is a typing error."""
    if not isinstance(name, str):
        raise Refusal(400, "A channel's name is a text.")
    if not _is_personal(name) and channels.find(name) is None:
        raise Refusal(
            400, f"{name[: limits.MAX_EVENT_NAME_LENGTH]!r} is no channel of this app: no pattern admits it."
        )


def _is_personal(name: str) -> bool:
    """Say whether this is the channel of one person, who hears it once signed in."""
    return name.startswith(protocol.SERVER_TO_USER) and _is_user_id(name.removeprefix(protocol.SERVER_TO_USER))


def _is_user_id(text: str) -> bool:
    return 1 <= len(text) <= limits.MAX_USER_ID_LENGTH and text.isprintable()


def _check_presence(channel: str) -> None:
    if not _has_members(channel):
        raise Refusal(400, "Users are known of presence channels only.")


# -- What is known


def _has_members(channel: str) -> bool:
    return protocol.channel_type(channel).startswith(protocol.PRESENCE)


def _facts_of(names: Iterable[str], info: frozenset[str]) -> dict[str, dict[str, int]]:
    """Return the facts of channels that were told; what one of them cannot have is left out."""
    occupancy = store.occupancy(names) if info else {}
    return {name: _facts(name, occupancy[name], info) if info else {} for name in names}


def _facts(channel: str, seen: store.Occupancy, info: frozenset[str]) -> dict[str, int]:
    facts = {}
    if "user_count" in info and _has_members(channel):
        facts["user_count"] = len(seen.members)
    if "subscription_count" in info:
        facts["subscription_count"] = seen.subscriptions
    return facts


def _cached(channel: str) -> dict[str, Any] | None:
    if "cache-" not in protocol.channel_type(channel):
        raise Refusal(400, "Only cache channels keep their last event.")
    event = store.cached(channel, Audience.PUBLIC)
    return None if event is None else {"data": event.data, "ttl": event.ttl}
