"""Channels: which names there are, who hears what, and what may be said on them.

A project lists its patterns like urls, in the module that `REALTIME["CHANNELS"]` names:

    channelpatterns = [
        public("news"),
        private("tickets.<uuid:ticket_uuid>", authorize_ticket),
        presence("tickets.<uuid:ticket_uuid>", staff_of_ticket),
    ]

A rule takes the person and the parts of the name; it returns the person's audience, or None to refuse.
"""

import re
from collections.abc import Callable, Iterable, Mapping
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

Rule = Callable[..., "Audience | None"]
ManyRule = Callable[[Any, list[dict[str, Any]]], list["Audience | None"]]
MemberRule = Callable[..., Member | None]
Voice = Callable[..., Any]

NAME = re.compile(rf"[A-Za-z0-9_\-=@,.;]{{1,{MAX_CHANNEL_NAME_LENGTH}}}")  # Pusher: channel naming conventions
FEW = 3  # channels of a pattern, of which one query for all would cost more than one for each
PLACEHOLDER = re.compile(r"<(?P<converter>\w+):(?P<name>\w+)>")


class Audience(models.TextChoices):
    """Whom an event, a row or a version of a payload is for."""

    PUBLIC = "public"
    STAFF = "staff"

    def includes(self, other: "Audience") -> bool:
        """Say whether who belongs to this audience may hear what is for `other`."""
        return self is Audience.STAFF or other is Audience.PUBLIC


def everybody(user: Any, **_: Any) -> Audience:
    """Admit whoever asks: the rule of public channels that have none."""
    return Audience.PUBLIC


def account(user: Any, **_: Any) -> Member:
    """Show a member by key and name: who is on a presence channel whose pattern does not say how."""
    return Member(str(user.pk), {"id": str(user.pk), "name": str(user)})


def as_sent(user: Any, audience: Audience, data: Any, **_: Any) -> Any:
    """Pass a client event's data on as it came ({} for none): for channels whose listeners trust one another."""
    return {} if data is None else data


@dataclass(frozen=True)
class ChannelPattern:
    """A family of channels, such as private-tickets.<uuid:ticket_uuid>, its rule, and what may be said there."""

    prefix: str
    route: str
    rule: Rule
    many: ManyRule | None = None
    member: MemberRule = account
    whispers: Mapping[str, Voice] = field(default_factory=dict, compare=False)
    guests: bool = False
    counts: bool = False
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _converters: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the route once."""
        regex, converters = _compile(self.route)
        object.__setattr__(self, "_regex", re.compile(re.escape(self.prefix) + regex))
        object.__setattr__(self, "_converters", converters)

    @property
    def is_presence(self) -> bool:
        """Whether the channel's listeners are told who is there."""
        return self.prefix.startswith(protocol.PRESENCE)

    @property
    def needs_auth(self) -> bool:
        """Whether a signature or a sign-in must say who subscribes."""
        return self.prefix.startswith(("private-", protocol.PRESENCE))

    @property
    def is_encrypted(self) -> bool:
        """Whether only the ends can read what is told."""
        return "encrypted-" in self.prefix

    @property
    def is_cached(self) -> bool:
        """Whether a new subscriber is told the last event."""
        return "cache-" in self.prefix

    @property
    def is_counted(self) -> bool:
        """Whether listeners are told how many they are: of public channels alone, where it tells nothing private."""
        return self.counts and not self.needs_auth

    def match(self, name: str) -> dict[str, Any] | None:
        """Return the typed parts of the full Pusher name, or None if it is not of this family."""
        if protocol.channel_type(name) != self.prefix:
            return None
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        return {key: self._converters[key].to_python(value) for key, value in found.groupdict().items()}

    def ask(self, user: Any, channels: list[dict[str, Any]]) -> list["Audience | None"]:
        """Return what the rule says to `user` about each of the channels, given by their parts."""
        if user is None:
            if not self.guests and self.needs_auth:
                return [None] * len(channels)
            user = AnonymousUser()
        if self.many is not None and len(channels) > FEW:
            return self.many(user, channels)
        return [self.rule(user, **parts) for parts in channels]

    def voice(self, event: str) -> Voice | None:
        """Return what makes the data of a client event; None if it may not be sent here."""
        return self.whispers.get(event) or self.whispers.get(f"{protocol.CLIENT_EVENT}*")


class Found(NamedTuple):
    """The pattern of a channel, and the typed parts of its name."""

    pattern: ChannelPattern
    parts: dict[str, Any]


def public(route: str, rule: Rule = everybody, *, cache: bool = False, counts: bool = False) -> ChannelPattern:
    """Return the pattern of channels that anybody hears, unless a rule says otherwise.

    With `cache` new subscribers are told the last event; with `counts` all are told how many they are.
    """
    return ChannelPattern("cache-" if cache else "", route, rule, counts=counts)


def private(  # noqa: PLR0913 (all but the first two have their usual values)
    route: str,
    rule: Rule,
    *,
    many: ManyRule | None = None,
    whispers: Mapping[str, Voice] | None = None,
    cache: bool = False,
    encrypted: bool = False,
    guests: bool = False,
) -> ChannelPattern:
    """Return the pattern of channels whose every listener the rule admits.

    `many`, if given, answers for several channels in one go: it takes the person and a list of the parts of names,
    and returns a list of what the rule would say to each. `whispers` names the client events that listeners may send
    one another ("client-*" for all), and what makes their data: a function of the sender, the audience that hears it
    and, by name, `data` as it came and the parts of the channel's name; None from it tells that audience nothing.
    With `guests` a valid signature is enough: the rule is asked with an AnonymousUser where nobody of this site
    stands behind it. What goes over `encrypted` channels passes through unread.
    """
    prefix = "private-" + "encrypted-" * encrypted + "cache-" * cache
    if encrypted and whispers:
        raise ValueError("Clients cannot send events on encrypted channels.")
    return ChannelPattern(prefix, route, rule, many, whispers=whispers or {}, guests=guests)


def presence(  # noqa: PLR0913
    route: str,
    rule: Rule,
    *,
    many: ManyRule | None = None,
    member: MemberRule = account,
    whispers: Mapping[str, Voice] | None = None,
    cache: bool = False,
    guests: bool = False,
) -> ChannelPattern:
    """Return the pattern of private channels whose listeners are told who else is there.

    `member` shows a person to the others: it takes the person and the parts of the name, and returns a `Member`, or
    None for somebody who listens unseen. Everything else is as in `private`.
    """
    prefix = protocol.PRESENCE + "cache-" * cache
    return ChannelPattern(prefix, route, rule, many, member, whispers or {}, guests)


def find(name: str) -> Found | None:
    """Return the pattern of channel `name` (full Pusher name) and the parts of the name; None if there is none."""
    if not NAME.fullmatch(name):
        return None
    for pattern in channel_patterns():
        parts = pattern.match(name)
        if parts is not None:
            return Found(pattern, parts)
    return None


def authorize(user: Any, name: str) -> Audience | None:
    """Ask the rule of channel `name` (full Pusher name) for `user`; None where it refuses or no pattern matches.

    `user` is read from the database just before: a rule trusts what it is given. None stands for nobody of this site.
    """
    return authorize_many(user, [name])[name]


def authorize_many(user: Any, names: Iterable[str]) -> dict[str, Audience | None]:
    """Ask the rules of several channels; those of one pattern in one go, where it knows how."""
    found = {name: find(name) for name in names}
    return dict.fromkeys(found) | ask_each(user, {name: each for name, each in found.items() if each is not None})


def ask_each(user: Any, channels: Mapping[str, Found]) -> dict[str, Audience | None]:
    """Ask the rules of several channels that were found, by their names."""
    answers: dict[str, Audience | None] = {}
    asked: dict[ChannelPattern, list[str]] = {}
    for name, found in channels.items():
        asked.setdefault(found.pattern, []).append(name)
    for pattern, names in asked.items():
        answers |= zip(names, pattern.ask(user, [channels[name].parts for name in names]), strict=True)
    return answers


def channel_patterns() -> Iterable[ChannelPattern]:
    """Return the project's patterns, in their order."""
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
