"""Cache sessions and authorizations for seconds: a user who opens one page after another connects each time.

A revocation invalidates the cache before it is applied to the sockets.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.contrib.auth.models import AbstractBaseUser

from realtime import protocol
from realtime.channels.authentication import Credentials
from realtime.channels.authorization import Authorization

MAX_AGE: Final = 15  # seconds
MAX_SESSIONS: Final = 20_000


@dataclass(slots=True)
class CachedSession:
    """The user of a session or token, its expiry, and the channels the user was authorized for."""

    user: AbstractBaseUser
    expires_at: datetime | None
    read_at: float  # monotonic seconds
    authorizations: dict[str, Authorization] = field(default_factory=dict)


class SessionCache:
    """The sessions that one process has seen lately, while `is_current` says that it receives revocations."""

    def __init__(self, is_current: Callable[[], bool]) -> None:
        self.version = 0  # raised by each invalidation: what was read before it must not be stored after it
        self._is_current = is_current
        self._sessions: dict[Credentials, CachedSession] = {}

    def get(self, credentials: Credentials) -> CachedSession | None:
        """Return a session, unless it is too old or has expired."""
        session = self._sessions.get(credentials)
        if session is None or time.monotonic() - session.read_at > MAX_AGE or not self._is_current():
            return None
        return session if session.expires_at is None or session.expires_at > datetime.now(UTC) else None

    def put(
        self, version: int, credentials: Credentials, user: AbstractBaseUser | None, expires_at: datetime | None
    ) -> None:
        """Store what was read since `version`; None for the user removes the session."""
        if user is None:
            self._sessions.pop(credentials, None)
        elif version == self.version and len(self._sessions) < MAX_SESSIONS:
            self._sessions[credentials] = CachedSession(user, expires_at, time.monotonic())

    def put_authorizations(
        self, version: int, credentials: Credentials, authorizations: Mapping[str, Authorization | None]
    ) -> None:
        """Store the channels that a cached session was authorized for, as read since `version`.

        A user's own channel is left out: it depends on one connection's sign-in, not on a rule.
        """
        session = self._sessions.get(credentials)
        if session is not None and version == self.version:
            session.authorizations |= {
                name: authorization
                for name, authorization in authorizations.items()
                if authorization is not None and not name.startswith(protocol.SERVER_TO_USER)
            }

    def invalidate(self, users: Iterable[str | None], channels: Iterable[str]) -> None:
        """Remove the sessions of users (keys) and the authorizations for channels."""
        self.version += 1
        users, channels = set(users), set(channels)
        self._sessions = {
            credentials: session
            for credentials, session in self._sessions.items()
            if str(session.user.pk) not in users
        }
        for session in self._sessions.values():
            for channel in channels & session.authorizations.keys():
                del session.authorizations[channel]

    def remove_old(self, now: float) -> None:
        """Remove sessions that `get` no longer returns; `now` in monotonic seconds."""
        self._sessions = {key: each for key, each in self._sessions.items() if now - each.read_at <= MAX_AGE}
