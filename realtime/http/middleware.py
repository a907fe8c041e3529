"""Middleware: a history cursor for each page, and Echo's name for the CSRF header."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from realtime.broadcasting import history

GetResponse = Callable[[HttpRequest], HttpResponse]


def accept_echo_csrf_header(get_response: GetResponse) -> GetResponse:
    """Accept X-CSRF-TOKEN, which laravel-echo sends, as Django's X-CSRFToken."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "HTTP_X_CSRF_TOKEN" in request.META:
            request.META.setdefault("HTTP_X_CSRFTOKEN", request.META["HTTP_X_CSRF_TOKEN"])
        return get_response(request)

    return middleware


class PageCursorMiddleware:
    """Sets `request.realtime_cursor` before a page's first query, so that its history has all later changes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response; a page with a cursor must not be cached."""
        response = self.get_response(request)
        if hasattr(request, "realtime_cursor") and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Set the cursor for signed-in users."""
        match = request.resolver_match
        if match is not None and match.app_name != "realtime" and request.user.is_authenticated:
            request.realtime_cursor = history.current_cursor()  # type: ignore[attr-defined]
