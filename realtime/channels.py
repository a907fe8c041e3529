"""Channels: which names there are, and who hears what.

A project lists its patterns like urls, in the module that `REALTIME["CHANNELS"]` names:

    channelpatterns = [private("tickets.<uuid:ticket_uuid>", hears_ticket)]

A rule takes the person and the parts of the name; it returns the person's audience, or None to refuse.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

from django.db import models
from django.urls.converters import get_converters

from realtime.conf import config
from realtime.limits import MAX_CHANNEL_NAME

Rule = Callable[..., "Audience | None"]
ManyRule = Callable[[Any, list[dict[str, Any]]], list["Audience | None"]]

NAME = re.compile(rf"[A-Za-z0-9_\-=@,.;]{{1,{MAX_CHANNEL_NAME}}}")  # Pusher: channel naming conventions
LAYER_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")  # Channels: valid group names
PLACEHOLDER = re.compile(r"<(?P<converter>\w+):(?P<name>\w+)>")


class Audience(models.TextChoices):
    """Whom an event, a row or a version of a payload is for."""

    PUBLIC = "public"
    STAFF = "staff"

    def includes(self, other: "Audience") -> bool:
        """Say whether who belongs to this audience may hear what is for `other`."""
        return self is Audience.STAFF or other is Audience.PUBLIC


@dataclass(frozen=True)
class ChannelPattern:
    """A family of channels, such as private-tickets.<uuid:ticket_uuid>, and its rule."""

    prefix: str
    route: str
    rule: Rule
    many: ManyRule | None = None
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _converters: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the route once."""
        regex, converters = _compile(self.route)
        object.__setattr__(self, "_regex", re.compile(re.escape(self.prefix) + regex))
        object.__setattr__(self, "_converters", converters)

    def match(self, name: str) -> dict[str, Any] | None:
        """Return the typed parts of the full Pusher name, or None if it is not of this family."""
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        return {key: self._converters[key].to_python(value) for key, value in found.groupdict().items()}

    def ask(self, user: Any, channels: list[dict[str, Any]]) -> list["Audience | None"]:
        """Return what the rule says to `user` about each of the channels, given by their parts."""
        if self.many is not None and len(channels) > 1:
            return self.many(user, channels)
        return [self.rule(user, **parts) for parts in channels]


def private(route: str, rule: Rule, *, many: ManyRule | None = None) -> ChannelPattern:
    """Return the pattern of channels whose every listener the rule admits.

    `many`, if given, answers for several channels in one go: it takes the person and a list of the parts of names,
    and returns a list of what the rule would say to each.
    """
    return ChannelPattern("private-", route, rule, many)


def hears(user: Any, name: str) -> Audience | None:
    """Ask the rule of channel `name` (full Pusher name) for `user`; None where it refuses or no pattern matches.

    `user` is read from the database just before: a rule trusts what it is given.
    """
    return hears_each(user, [name])[name]


def hears_each(user: Any, names: Iterable[str]) -> dict[str, Audience | None]:
    """Ask the rules of several channels; those of one pattern in one go, where it knows how."""
    answers: dict[str, Audience | None] = dict.fromkeys(names)
    asked: dict[ChannelPattern, dict[str, dict[str, Any]]] = {}
    for name in answers:
        for pattern in channel_patterns() if NAME.fullmatch(name) else ():
            parts = pattern.match(name)
            if parts is not None:
                asked.setdefault(pattern, {})[name] = parts
                break
    for pattern, channels in asked.items():
        answers |= zip(channels, pattern.ask(user, list(channels.values())), strict=True)
    return answers


def group_name(channel: str, audience: Audience) -> str:
    """Return the channel layer's group of those who hear `channel` as `audience`."""
    name = f"{audience.value}.{channel}"
    return name if LAYER_NAME.fullmatch(name) else "sha256." + hashlib.sha256(name.encode()).hexdigest()


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
