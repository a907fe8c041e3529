"""Middleware: the session's cookie, language and time zone of the user, and the last activity of the session."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.models import User
from accounts.sign_in import sessions

GetResponse = Callable[[HttpRequest], HttpResponse]
LAST_SEEN_KEY = "seen_at"


class SessionMiddleware(DjangoSessionMiddleware):
    """Deletes the session's cookie only in the answer to a sign-out.

    A request with the cookie of a session that has ended may be answered late: by then the browser may hold the
    cookie of the next session, which the answer would delete.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session, and set its cookie if it was changed."""
        if request.session.is_empty() and not getattr(request, "has_signed_out", False):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return super().process_response(request, response)


@receiver(user_logged_out)
def mark_sign_out(request: HttpRequest, **_: Any) -> None:
    """Mark the request, so that its answer deletes the cookie."""
    request.has_signed_out = True  # type: ignore[attr-defined]


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
            _limit_idle_time(request, user)


def activate_preferences(request: HttpRequest, user: User) -> None:
    """Activate the user's language and time zone."""
    if user.language:
        translation.activate(user.language)
        request.LANGUAGE_CODE = user.language
    if user.zone is not None:
        timezone.activate(user.zone)


def _record_activity(request: HttpRequest) -> None:
    """Record the activity at most every five minutes: it costs two writes."""
    now = int(timezone.now().timestamp())
    if now - request.session.get(LAST_SEEN_KEY, 0) >= sessions.LAST_SEEN_INTERVAL.total_seconds():
        request.session[LAST_SEEN_KEY] = now
        sessions.record_activity(request.session.session_key or "")


def _limit_idle_time(request: HttpRequest, user: User) -> None:
    """End the session of staff STAFF_IDLE_MINUTES after the last thing they did, rather than after two weeks."""
    idle_time = timedelta(minutes=settings.STAFF_IDLE_MINUTES)
    if not idle_time or not user.is_staff:
        return
    left = timedelta(seconds=request.session.get_expiry_age())
    if left > idle_time or (left < idle_time - sessions.LAST_SEEN_INTERVAL and _is_by_user(request)):
        # A date: a number of seconds would begin anew whenever the session is saved.
        request.session.set_expiry(timezone.now() + idle_time)


def _is_by_user(request: HttpRequest) -> bool:
    """Return whether the user caused the request; an open page makes others by itself, after events."""
    return request.method == "POST" or request.headers.get("Sec-Fetch-Dest", "document") == "document"
