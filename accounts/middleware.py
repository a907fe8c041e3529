"""Middleware: a person's own language and time zone, and when he was last seen in this browser."""

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
    """Answers in the person's language, with dates in his zone; without a choice, in the browser's and the desk's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave the zone as it was before."""
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Ask who it is only where the view does: a stylesheet for everybody is nobody's."""
        user = request.user if hasattr(request, "realtime_cursor") else AnonymousUser()
        if isinstance(user, User):
            activate_preferences(request, user)
            _note_seen(request)


def activate_preferences(request: HttpRequest, user: User) -> None:
    """Turn to the language and the time zone that a person has chosen."""
    if user.language:
        translation.activate(user.language)
        request.LANGUAGE_CODE = user.language
    if user.time_zone:
        try:
            timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return  # a zone that the system's database has dropped


def _note_seen(request: HttpRequest) -> None:
    """Write it down at most once in five minutes: each time costs two writes."""
    now = int(timezone.now().timestamp())
    if now - request.session.get(LAST_SEEN_KEY, 0) >= sessions.LAST_SEEN_INTERVAL.total_seconds():
        request.session[LAST_SEEN_KEY] = now
        sessions.record_activity(request.session.session_key or "")
