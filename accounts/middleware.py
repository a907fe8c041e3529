"""Middleware: the user's language and time zone, and the last activity of the session."""

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
    """Activates the user's language and time zone; by default the browser's and the site's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Reset the time zone after the request."""
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Load the user only for views that use it: stylesheets are the same for all users."""
        user = request.user if hasattr(request, "realtime_cursor") else AnonymousUser()
        if isinstance(user, User):
            activate_preferences(request, user)
            _note_seen(request)


def activate_preferences(request: HttpRequest, user: User) -> None:
    """Activate the language and the time zone of `user`."""
    if user.language:
        translation.activate(user.language)
        request.LANGUAGE_CODE = user.language
    if user.time_zone:
        try:
            timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return  # the system's database no longer has this zone


def _note_seen(request: HttpRequest) -> None:
    """Record activity at most once in five minutes: it costs two writes."""
    now = int(timezone.now().timestamp())
    if now - request.session.get(LAST_SEEN_KEY, 0) >= sessions.LAST_SEEN_INTERVAL.total_seconds():
        request.session[LAST_SEEN_KEY] = now
        sessions.record_activity(request.session.session_key or "")
