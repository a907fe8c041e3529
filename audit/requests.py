"""The request that is being answered: its id, which its response and log records name, and who sent it from where."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from realtime.utils.client_address import normalize_address

if TYPE_CHECKING:
    from accounts.models import User

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,64}")

_current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def set_request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Take the id that the proxy sent in X-Request-ID, or make one, and return it in the same header.

    A client without a proxy may choose its id: it is a label, and decides nothing.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = request.headers.get(HEADER, "")
        request.META["REQUEST_ID"] = sent if ACCEPTED.fullmatch(sent) else uuid4().hex
        token = _current.set(request)
        try:
            response = get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = request_id(request)
        return response

    return middleware


def current_request() -> HttpRequest | None:
    """Return the request that is being answered; None in a command or a job."""
    return _current.get()


def request_id(request: HttpRequest) -> str:
    """Return the id of a request, or "" if it did not pass the middleware."""
    return str(request.META.get("REQUEST_ID", ""))


def request_user(request: HttpRequest) -> "User | None":
    """Return who is signed in, by session or token."""
    user: Any = getattr(request, "user", None)
    return cast("User", user) if user is not None and user.is_authenticated else None


def client_address(request: HttpRequest) -> str | None:
    """Return the client's network address, or None through a Unix socket."""
    return normalize_address(request.META.get("REMOTE_ADDR", "")) or None


def describe(request: Any = None) -> dict[str, Any]:
    """Return the ids of a request, by default of the one that is being answered: `request`, and `user` if loaded."""
    request = request if isinstance(request, HttpRequest) else current_request()
    if request is None or not request_id(request):
        return {}
    user = getattr(request, "_cached_user", None)  # of AuthenticationMiddleware: a log line asks no database
    return {"request": request_id(request), **({"user": user.pk} if user is not None and user.pk else {})}
