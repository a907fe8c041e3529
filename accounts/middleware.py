"""Middleware: language and time zone of the user, and the last activity of the session."""

import zoneinfo
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts import sessions
from accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]
LAST_SEEN_KEY = "seen_at"


class PersonalMiddleware:
    """Responds in the user's language and time zone; by default in those of the browser and the site."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Reset the time zone afterwards."""
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Load the user only for pages with a realtime cursor: a public stylesheet must not touch the session."""
        user = request.user if hasattr(request, "realtime_cursor") else AnonymousUser()
        if isinstance(user, User):
            activate_preferences(request, user)
            _record_activity(request)


def activate_preferences(request: HttpRequest, user: User) -> None:
    """Activate the user's language and time zone."""
    if user.language:
        translation.activate(user.language)
        request.LANGUAGE_CODE = user.language
    if user.time_zone:
        try:
            timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return  # a zone that the time zone database no longer has


def _record_activity(request: HttpRequest) -> None:
    """Record the activity at most every five minutes: it costs two writes."""
    now = int(timezone.now().timestamp())
    if now - request.session.get(LAST_SEEN_KEY, 0) >= sessions.LAST_SEEN_INTERVAL.total_seconds():
        request.session[LAST_SEEN_KEY] = now
        sessions.record_activity(request.session.session_key or "")
