"""An id for each request, which its response, its log records and its error page name."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

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


def request_id(request: HttpRequest) -> str:
    """Return the id of a request, or "" if it did not pass the middleware."""
    return str(request.META.get("REQUEST_ID", ""))


def describe(request: Any = None) -> dict[str, Any]:
    """Return the ids of a request, by default of the one that is being answered: `request`, and `user` if known."""
    request = request if isinstance(request, HttpRequest) else _current.get()
    if request is None or not request_id(request):
        return {}
    user = getattr(request, "_cached_user", None)  # of AuthenticationMiddleware: a log line asks no database
    known = {"user": user.pk} if user is not None and user.pk else {}
    return {"request": request_id(request), **known}
