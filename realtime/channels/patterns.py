"""Channel patterns: which channels exist, who may subscribe, and which client events they allow.

A project lists its patterns like urls, in the module that `REALTIME["CHANNELS"]` names:

    channelpatterns = [
        public("news"),
        private("tickets.<uuid:ticket_uuid>", authorize_ticket),
        presence("tickets.<uuid:ticket_uuid>", authorize_ticket_staff),
    ]

A rule takes the user and a list of channels, each given by the typed parts of its name ({"ticket_uuid": UUID(...)});
it returns a list with the user's audience on each, None to refuse. So one query can authorize all of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.urls.converters import get_converters

from realtime import protocol
from realtime.conf import config
from realtime.limits import MAX_CHANNEL_NAME_LENGTH
from realtime.protocol import Member

Parts = Mapping[str, Any]  # of a channel's name, converted to the types that the route declares
Rule = Callable[[Any, Sequence[Parts]], Sequence["Audience | None"]]
MemberRule = Callable[..., Member | None]
ClientEventPayload = Callable[..., Any]
ClientEventCopies = Callable[..., "Iterable[ClientEventCopy]"]

NAME = re.compile(rf"[A-Za-z0-9_\-=@,.;]{{1,{MAX_CHANNEL_NAME_LENGTH}}}")  # Pusher: channel naming conventions
PLACEHOLDER = re.compile(r"<(?P<converter>\w+):(?P<name>\w+)>")


class Audience(models.TextChoices):
    """Who may receive an event, a row or a version of a payload."""

    PUBLIC = "public"
    STAFF = "staff"

    def includes(self, other: "Audience") -> bool:
        """Return whether members of this audience may receive what is for `other`."""
        return self is Audience.STAFF or other is Audience.PUBLIC


class ClientEventCopy(NamedTuple):
    """A server event that a client event causes on another channel, such as a summary for a list."""

    channel: str  # full Pusher name
    audience: Audience
    event: str
    data: Any


def anyone(user: Any, channels: Sequence[Parts]) -> list[Audience]:
    """Admit every user: the default rule of public channels."""
    return [Audience.PUBLIC] * len(channels)


def account(user: Any, **_: Any) -> Member:
    """Describe a presence member by key and name: the default of presence patterns."""
    return Member(str(user.pk), {"id": str(user.pk), "name": str(user)})


def no_copies(user: Any, event: str, **_: Any) -> list[ClientEventCopy]:
    """Copy no client event to other channels: the default."""
    return []


def as_sent(user: Any, audience: Audience, data: Any, **_: Any) -> Any:
    """Forward the data of a client event unchanged ({} for none), for channels whose subscribers trust each other."""
    return {} if data is None else data


@dataclass(frozen=True)
class ChannelPattern:
    """A family of channels, such as private-tickets.<uuid:ticket_uuid>, its rule, and its client events."""

    prefix: str
    route: str
    rule: Rule
    member: MemberRule = account
    client_events: Mapping[str, ClientEventPayload] = field(default_factory=dict, compare=False)
    guests: bool = False
    counts: bool = False
    client_event_copies: ClientEventCopies = no_copies
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _converters: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the route once."""
        regex, converters = _compile(self.route)
        object.__setattr__(self, "_regex", re.compile(re.escape(self.prefix) + regex))
        object.__setattr__(self, "_converters", converters)

    @property
    def is_presence(self) -> bool:
        """Whether subscribers see the members of the channel."""
        return self.prefix.startswith(protocol.PRESENCE)

    @property
    def needs_auth(self) -> bool:
        """Whether the subscriber must be authenticated, by a session or a signature."""
        return self.prefix.startswith(("private-", protocol.PRESENCE))

    @property
    def is_encrypted(self) -> bool:
        """Whether only clients can read the data (end-to-end encryption)."""
        return "encrypted-" in self.prefix

    @property
    def is_cached(self) -> bool:
        """Whether a new subscriber receives the last event."""
        return "cache-" in self.prefix

    @property
    def is_counted(self) -> bool:
        """Whether subscribers receive the subscription count: on public channels only, where it reveals nothing."""
        return self.counts and not self.needs_auth

    def match(self, name: str) -> Parts | None:
        """Return the typed parts of a full Pusher name, or None if it does not match."""
        if protocol.channel_type(name) != self.prefix:
            return None
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        return {key: self._converters[key].to_python(value) for key, value in found.groupdict().items()}

    def authorize(self, user: Any, channels: Sequence[Parts]) -> Sequence[Audience | None]:
        """Return the audience of `user` on each of the channels; None stands for a user unknown to this site."""
        if user is None:
            if not self.guests and self.needs_auth:
                return [None] * len(channels)
            user = AnonymousUser()
        return self.rule(user, channels)

    def client_event_payload(self, event: str) -> ClientEventPayload | None:
        """Return the function that makes the data of a client event; None if it is not allowed."""
        return self.client_events.get(event) or self.client_events.get(f"{protocol.CLIENT_EVENT}*")


def is_channel_name(name: Any) -> bool:
    """Return whether `name` is a valid channel name, or the name of a user's own channel."""
    if not isinstance(name, str):
        return False
    is_own = name.startswith(protocol.SERVER_TO_USER) and len(name) <= MAX_CHANNEL_NAME_LENGTH
    return is_own or NAME.fullmatch(name) is not None


class Found(NamedTuple):
    """The pattern of a channel, and the typed parts of its name."""

    pattern: ChannelPattern
    parts: Parts


def public(route: str, rule: Rule = anyone, *, cache: bool = False, counts: bool = False) -> ChannelPattern:
    """Return a pattern of public channels, open to every client unless a rule refuses.

    With `cache` new subscribers receive the last event; with `counts` all receive the subscription count.
    """
    return ChannelPattern("cache-" if cache else "", route, rule, counts=counts)


def private(
    route: str,
    rule: Rule,
    *,
    client_events: Mapping[str, ClientEventPayload] | None = None,
    cache: bool = False,
    encrypted: bool = False,
    guests: bool = False,
) -> ChannelPattern:
    """Return a pattern of private channels: the rule authorizes each subscriber.

    `client_events` maps the names of client events that
    subscribers may send ("client-*" for all) to the function that makes their data: it takes the sender, the
    receiving audience and, by name, `data` as received and the parts of the channel's name; None sends nothing to
    that audience. With `guests` a valid signature is enough: the rule is asked with an AnonymousUser if the signature
    names no user of this site. Data on `encrypted` channels pass through unread.
    """
    prefix = "private-" + "encrypted-" * encrypted + "cache-" * cache
    if encrypted and client_events:
        raise ValueError("Clients cannot send events on encrypted channels.")
    return ChannelPattern(prefix, route, rule, client_events=client_events or {}, guests=guests)


def presence(  # noqa: PLR0913
    route: str,
    rule: Rule,
    *,
    member: MemberRule = account,
    client_events: Mapping[str, ClientEventPayload] | None = None,
    client_event_copies: ClientEventCopies = no_copies,
    cache: bool = False,
    guests: bool = False,
) -> ChannelPattern:
    """Return a pattern of private channels whose subscribers see each other as members.

    `member` describes a user to the others: it takes the user and the parts of the name, and returns a `Member`, or
    None for a user who is not shown. `client_event_copies` takes the sender and the name of an allowed client event
    and, by name, the parts of the channel's name; it returns what subscribers of other channels receive. Everything
    else is as in `private`.
    """
    prefix, events = protocol.PRESENCE + "cache-" * cache, client_events or {}
    return ChannelPattern(prefix, route, rule, member, events, guests, client_event_copies=client_event_copies)


def find(name: str) -> Found | None:
    """Return the pattern of channel `name` (full Pusher name) and the parts of the name; None if none matches."""
    if not NAME.fullmatch(name):
        return None
    for pattern in channel_patterns():
        parts = pattern.match(name)
        if parts is not None:
            return Found(pattern, parts)
    return None


def authorize(user: Any, name: str) -> Audience | None:
    """Return the audience of `user` on channel `name` (full Pusher name); None if refused, or if no pattern matches.

    Load `user` from the database just before: rules trust it. None stands for a user unknown to this site.
    """
    return authorize_many(user, [name])[name]


def authorize_many(user: Any, names: Iterable[str]) -> dict[str, Audience | None]:
    """Authorize several channels; the rule of a pattern is called once for all of its channels."""
    found = {name: find(name) for name in names}
    return dict.fromkeys(found) | authorize_found(
        user, {name: each for name, each in found.items() if each is not None}
    )


def authorize_found(user: Any, channels: Mapping[str, Found]) -> dict[str, Audience | None]:
    """Authorize several channels whose patterns are known, by name."""
    audiences: dict[str, Audience | None] = {}
    by_pattern: dict[ChannelPattern, list[str]] = {}
    for name, found in channels.items():
        by_pattern.setdefault(found.pattern, []).append(name)
    for pattern, names in by_pattern.items():
        audiences |= zip(names, pattern.authorize(user, [channels[name].parts for name in names]), strict=True)
    return audiences


def channel_patterns() -> Iterable[ChannelPattern]:
    """Return the project's patterns, in order."""
    return _load(config().channels)


@lru_cache
def _load(module: str) -> tuple[ChannelPattern, ...]:
    return tuple(import_module(module).channelpatterns)


def _compile(route: str) -> tuple[str, dict[str, Any]]:
    regex, converters, end = "", {}, 0
    for found in PLACEHOLDER.finditer(route):
        converter = get_converters()[found["converter"]]
        regex += re.escape(route[end : found.start()]) + f"(?P<{found['name']}>{converter.regex})"
        converters[found["name"]] = converter
        end = found.end()
    return regex + re.escape(route[end:]), converters
