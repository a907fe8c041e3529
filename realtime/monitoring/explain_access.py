"""Says who may hear a channel and why, in words: for those who run the server."""

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from realtime.channels import NAME, Audience, ChannelPattern, Found, find
from realtime.limits import MAX_CHANNEL_NAME_LENGTH
from realtime.monitoring.status import shown_name

ALPHABET = "A-Z a-z 0-9 _ - = @ , . ;"
KINDS = {"": "public", "cache-": "public cache"}


class NoSuchPerson(LookupError):
    """Nobody signs in with this name."""


@dataclass(frozen=True)
class Verdict:
    """Whether somebody hears a channel: the audience or None, the pattern that the name is of, and the reason."""

    channel: str
    audience: Audience | None
    pattern: ChannelPattern | None
    reason: str
    shown_as: str | None = None  # on presence channels: how the others see this person, if they do


def find_person(name: str) -> AbstractBaseUser:
    """Return who signs in with `name`, which is an address or whatever the user model is known by."""
    model = get_user_model()
    try:
        person: AbstractBaseUser = model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist:
        raise NoSuchPerson(f"There is no person {name}.") from None
    return person


def judge(person: AbstractBaseUser | None, channel: str) -> Verdict:
    """Say whether `person`, or somebody who is not signed in, hears `channel` (full Pusher name)."""
    if not NAME.fullmatch(channel):
        return Verdict(channel, None, None, f"A channel's name has 1 to {MAX_CHANNEL_NAME_LENGTH} of: {ALPHABET}")
    found = find(channel)
    if found is None:
        return Verdict(channel, None, None, "No pattern matches this name; `manage.py channels` lists them.")
    pattern = found.pattern
    if person is not None and not person.is_active:
        return Verdict(channel, None, pattern, "The account is inactive.")
    if person is None and pattern.needs_auth and not pattern.guests:
        return Verdict(channel, None, pattern, "Nobody is signed in, and the channel is not public.")
    audience = pattern.ask(person, [found.parts])[0]
    verb = "refuses" if audience is None else "admits"
    reason = f"The rule {name_of(pattern.rule)} {verb}: {summary(pattern.rule)}"
    return Verdict(channel, audience, pattern, reason, None if audience is None else _shown_as(person, found))


def _shown_as(person: AbstractBaseUser | None, found: Found) -> str | None:
    if person is None or not found.pattern.is_presence:
        return None
    member = found.pattern.member(person, **found.parts)
    return None if member is None else shown_name(member)


def kind(pattern: ChannelPattern) -> str:
    """Return what a pattern's channels are called: private, presence, public cache ..."""
    return KINDS.get(pattern.prefix) or pattern.prefix.rstrip("-").replace("-", " ")


def name_of(rule: Any) -> str:
    """Return where a rule is written: module and name."""
    rule = rule.func if isinstance(rule, partial) else rule
    named = rule if hasattr(rule, "__qualname__") else type(rule)
    return f"{named.__module__}.{named.__qualname__}"


def summary(rule: Any) -> str:
    """Return the first line of a rule's docstring."""
    rule = rule.func if isinstance(rule, partial) else rule
    return (inspect.getdoc(rule) or "It has no description.").splitlines()[0]


def full_name(pattern: ChannelPattern) -> str:
    """Return a pattern as it stands for full Pusher names."""
    return pattern.prefix + pattern.route
