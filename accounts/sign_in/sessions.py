"""Sessions of users: list, end and describe them."""

import re
from collections.abc import Iterable
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

LAST_SEEN_INTERVAL = timedelta(minutes=5)
# The first match counts: user agents also contain the names of browsers they imitate.
BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


def active_sessions(user: User) -> QuerySet[UserSession]:
    """Return the user's sessions that have not expired."""
    running = Session.objects.filter(expire_date__gt=timezone.now())
    sessions: QuerySet[UserSession] = UserSession.objects.filter(user=user)
    return sessions.filter(session_key__in=running.values("session_key"))


@transaction.atomic
def end_sessions(sessions: Iterable[UserSession]) -> None:
    """Delete the sessions, which also revokes their sockets."""
    for user_session in sessions:
        for session in Session.objects.filter(session_key=user_session.session_key):
            session.delete()
        user_session.delete()


def end_other_sessions(user: User, session_key: str | None) -> None:
    """End every session of `user` except `session_key`; None ends all."""
    end_sessions(UserSession.objects.filter(user=user).exclude(session_key=session_key or ""))


def record_activity(session_key: str) -> None:
    """Set the time of the session's last activity to now."""
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=timezone.now())


def browser_name(user_agent: str) -> str:
    """Return a readable name of browser and system, such as "Firefox on Linux"."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def _first(names: Iterable[tuple[str, str]], user_agent: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, user_agent)), "")
