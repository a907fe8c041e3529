"""Who has come just now and what the rules said, for whoever comes again: a person opens one page after the other.

Whatever ends or changes somebody's access has it forgotten before it is applied to the sockets.
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

KEPT: Final = 15  # seconds
MOST: Final = 20_000  # sign-ins


@dataclass(slots=True)
class CachedSession:
    """The person behind a sign-in as the database had him, when the sign-in ends, and what he is on channels."""

    person: AbstractBaseUser
    end: datetime | None
    read_at: float  # monotonic seconds
    standings: dict[str, Authorization] = field(default_factory=dict)


class SessionCache:
    """What one process remembers of sign-ins; `can_trust` says whether it hears by now what ends them."""

    def __init__(self, can_trust: Callable[[], bool]) -> None:
        self.version = 0  # raised by whatever is forgotten: what was read before is not to be kept after
        self._can_trust = can_trust
        self._known: dict[Credentials, CachedSession] = {}

    def recall(self, identity: Credentials) -> CachedSession | None:
        """Return what is known of a sign-in."""
        known = self._known.get(identity)
        if known is None or time.monotonic() - known.read_at > KEPT or not self._can_trust():
            return None
        return known if known.end is None or known.end > datetime.now(UTC) else None

    def keep(
        self, version: int, identity: Credentials, person: AbstractBaseUser | None, end: datetime | None
    ) -> None:
        """Remember whom a sign-in stands for, as it was read since `version`; if for nobody, forget whom it did."""
        if person is None:
            self._known.pop(identity, None)
        elif version == self.version and len(self._known) < MOST:
            self._known[identity] = CachedSession(person, end, time.monotonic())

    def keep_standings(
        self, version: int, identity: Credentials, standings: Mapping[str, Authorization | None]
    ) -> None:
        """Remember where rules have admitted a person who is known, as they were asked since `version`.

        The channel by which servers reach one person goes by the sign-in on one connection, and by no rule.
        """
        known = self._known.get(identity)
        if known is not None and version == self.version:
            ruled = {name: now for name, now in standings.items() if not name.startswith(protocol.SERVER_TO_USER)}
            known.standings |= {name: now for name, now in ruled.items() if now is not None}

    def forget(self, users: Iterable[str | None], channels: Iterable[str]) -> None:
        """Forget people and channels, by their names."""
        self.version += 1
        users, channels = set(users), set(channels)
        self._known = {who: known for who, known in self._known.items() if str(known.person.pk) not in users}
        for known in self._known.values():
            for channel in channels & known.standings.keys():
                del known.standings[channel]

    def forget_old(self, now: float) -> None:
        """Forget what is no longer recalled; `now` in monotonic seconds."""
        self._known = {who: known for who, known in self._known.items() if now - known.read_at <= KEPT}
