"""Authentication and validation of requests to the Pusher HTTP API ("HTTP API reference")."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from realtime import channels, limits, protocol
from realtime.broadcasting import expiring_values
from realtime.conf import config
from realtime.protocol import http_signatures
from realtime.utils import rate_limits
from realtime.utils.circuit_breaker import ServiceUnavailable

# A client event that pages receive always names its sender: the HTTP API must not publish one.
PROTOCOL_PREFIXES = ("pusher:", "pusher_internal:", protocol.CLIENT_EVENT)
MAX_PARAMETERS = 50  # of the query string
EVENT_INFO = {"user_count", "subscription_count"}


class ApiError(Exception):
    """A request is answered with an HTTP status and one sentence of plain text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message

    def response(self) -> HttpResponse:
        """Return the response; 429 and 503 say when to retry."""
        response = HttpResponse(self.message, status=self.status, content_type="text/plain; charset=utf-8")
        if self.status in (429, 503):
            response["Retry-After"] = str(limits.HTTP_API_RATE.get_expiry())
        return response


@dataclass(frozen=True)
class SignedRequest:
    """A request with a valid signature."""

    query: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body. Raises ApiError."""
        try:
            value = json.loads(self.body.decode())
            protocol.encode(value).encode()  # raises ValueError for a lone surrogate
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ApiError(400, "The body must be a JSON object in UTF-8.")
        return value


@dataclass(frozen=True)
class EventRequest:
    """An event to publish: its data is a string; `info` names what the response says about each channel."""

    name: str
    data: str
    channels: list[str]
    except_socket: str
    info: frozenset[str]


View = Callable[..., dict[str, Any]]


def signed(method: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Decorate a view that takes a SignedRequest and returns the JSON object of the response."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @never_cache
        @require_http_methods(["GET", "HEAD"] if method == "GET" else [method])
        @wraps(view)
        def checked(request: HttpRequest, *, app_id: str | None = None, **parts: str) -> HttpResponse:
            try:
                return JsonResponse(view(authenticate(request, app_id), **parts))
            except ApiError as error:
                return error.response()
            except ServiceUnavailable:
                return ApiError(503, "The presence store is unavailable. Retry in a minute.").response()

        return checked

    return decorate


# -- Authentication


def authenticate(request: HttpRequest, app_id: str | None) -> SignedRequest:
    """Check the app, signature, rate limit and (for POST) replay. Raises ApiError."""
    settings = config()
    if app_id not in (None, settings.app_id):
        raise ApiError(404, f"Unknown app {app_id!r}.")
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
        body = read_body(request)
        http_signatures.check_body(query, body)
    except http_signatures.BadSignature as error:
        raise ApiError(401, str(error)) from None
    if not rate_limits.allowed(limits.HTTP_API_RATE, "http_api", settings.app_id):
        raise ApiError(429, "Too many requests. Retry in a minute.")
    if request.method == "POST" and settings.refuse_replays:
        _refuse_replay(query["auth_signature"])
    return SignedRequest(query, body)


def _read_query(request: HttpRequest) -> dict[str, str]:
    """Return the query parameters with lower-case names. Raises ApiError if one occurs twice."""
    text = request.META.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise ApiError(400, f"The query must have at most {MAX_PARAMETERS} parameters, in UTF-8.") from None
    query = {name.lower(): value for name, value in pairs}
    if len(query) < len(pairs):
        raise ApiError(400, "A query parameter occurs more than once.")
    return query


def read_body(request: HttpRequest) -> bytes:
    """Return the body, reading at most MAX_REQUEST_SIZE bytes and one. Raises ApiError."""
    try:
        body = request.read(limits.MAX_REQUEST_SIZE + 1)
    except OSError:
        raise ApiError(400, "The body could not be read.") from None
    if len(body) > limits.MAX_REQUEST_SIZE:
        raise ApiError(413, f"The body must have at most {limits.MAX_REQUEST_SIZE} bytes.")
    return body


def _refuse_replay(signature: str) -> None:
    # A timestamp from the future stays valid for twice the window.
    if not expiring_values.expiring_values().add(f"http_api.{signature}", seconds=2 * http_signatures.WINDOW):
        raise ApiError(401, "This request was accepted before. To repeat it, sign it with a new auth_timestamp.")


# -- Validation


def read_batch(fields: dict[str, Any]) -> list[EventRequest]:
    """Validate the events of a batch. Raises ApiError, which names the event by its number."""
    batch = fields.get("batch")
    if not isinstance(batch, list) or not 1 <= len(batch) <= limits.MAX_BATCH_EVENTS:
        raise ApiError(400, f"`batch` must be a list of 1 to {limits.MAX_BATCH_EVENTS} events.")
    return [_read_batch_event(number, event) for number, event in enumerate(batch, 1)]


def _read_batch_event(number: int, fields: Any) -> EventRequest:
    if not isinstance(fields, dict):
        raise ApiError(400, f"Event {number} of the batch: an event must be an object.")
    try:
        return read_event(fields, [fields.get("channel")])
    except ApiError as error:
        raise ApiError(error.status, f"Event {number} of the batch: {error.message}") from None


def read_event(fields: dict[str, Any], names: Any) -> EventRequest:
    """Validate an event for the channels `names`. Raises ApiError."""
    return EventRequest(
        _read_name(fields.get("name")),
        _read_data(fields.get("data")),
        _read_channels(names),
        _read_socket_id(fields.get("socket_id")),
        read_info(fields.get("info"), EVENT_INFO),
    )


def _read_name(name: Any) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= limits.MAX_EVENT_NAME_LENGTH:
        raise ApiError(400, f"`name` must be a string of 1 to {limits.MAX_EVENT_NAME_LENGTH} characters.")
    if name.startswith(PROTOCOL_PREFIXES):
        raise ApiError(
            400, f"Event names must not start with {', '.join(PROTOCOL_PREFIXES)}: the protocol uses them."
        )
    if name.startswith(tuple(config().reserved_events)):
        raise ApiError(403, f"The event name {name!r} is reserved: only this server publishes it.")
    return name


def _read_data(data: Any) -> str:
    if not isinstance(data, str):
        raise ApiError(400, "`data` must be a string; JSON-encode other values.")
    if len(data.encode()) > limits.MAX_EVENT_SIZE:
        raise ApiError(413, f"`data` must have at most {limits.MAX_EVENT_SIZE} bytes.")
    return data


def _read_channels(names: Any) -> list[str]:
    if not isinstance(names, list) or not 1 <= len(names) <= limits.MAX_TRIGGER_CHANNELS:
        raise ApiError(400, f"`channels` must be a list of 1 to {limits.MAX_TRIGGER_CHANNELS} names.")
    for name in names:
        check_channel(name)
    if len(names) > 1 and any(name.startswith("private-encrypted-") for name in names):
        raise ApiError(400, "An event for an encrypted channel must have no other channel: each has its own key.")
    return list(dict.fromkeys(names))


def _read_socket_id(socket_id: Any) -> str:
    if socket_id is None:
        return ""
    if not isinstance(socket_id, str) or not protocol.SOCKET_ID.fullmatch(socket_id):
        raise ApiError(400, "`socket_id` must be two numbers joined by a dot.")
    return socket_id


def read_info(text: Any, known: set[str]) -> frozenset[str]:
    """Return the names in a comma-separated `info`. Raises ApiError for one that is not `known`."""
    if not isinstance(text, str | None):
        raise ApiError(400, "`info` must be a string of names, separated by commas.")
    names = frozenset(name for name in (text or "").split(",") if name)
    if unknown := ", ".join(sorted(names - known))[:200]:
        raise ApiError(400, f"`info` must name {', '.join(sorted(known))}; got {unknown!r}.")
    return names


def check_channel(name: Any) -> None:
    """Raise ApiError for a name that no pattern matches: no client can subscribe to it."""
    if not isinstance(name, str):
        raise ApiError(400, "A channel name must be a string.")
    if not _is_user_channel(name) and channels.find(name) is None:
        raise ApiError(400, f"{name[: limits.MAX_EVENT_NAME_LENGTH]!r} matches no channel pattern of this app.")


def check_presence_channel(name: str) -> None:
    """Raise ApiError if a channel has no members."""
    if not has_members(name):
        raise ApiError(400, "Only presence channels have users.")


def has_members(name: str) -> bool:
    """Return whether `name` is a presence channel."""
    return protocol.channel_type(name).startswith(protocol.PRESENCE)


def is_user_id(text: str) -> bool:
    """Return whether `text` can be a user's id."""
    return 1 <= len(text) <= limits.MAX_USER_ID_LENGTH and text.isprintable()


def _is_user_channel(name: str) -> bool:
    """Return whether `name` is a user's own channel (Pusher: "User authentication")."""
    return name.startswith(protocol.SERVER_TO_USER) and is_user_id(name.removeprefix(protocol.SERVER_TO_USER))
