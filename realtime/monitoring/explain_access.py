"""Explain who may subscribe to a channel, and which rule decides."""

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from realtime.channels import NAME, Audience, ChannelPattern, Found, find
from realtime.limits import MAX_CHANNEL_NAME_LENGTH
from realtime.monitoring.status import display_name

NAME_CHARACTERS = "A-Z a-z 0-9 _ - = @ , . ;"
CHANNEL_TYPES = {"": "public", "cache-": "public cache"}


class UserNotFound(LookupError):
    """No user has this name."""


@dataclass(frozen=True)
class AccessDecision:
    """Whether a user may subscribe to a channel: the audience or None, the pattern of the name, and the reason."""

    channel: str
    audience: Audience | None
    pattern: ChannelPattern | None
    reason: str
    shown_as: str | None = None  # on presence channels: the name that other members see; None if hidden


def find_user(name: str) -> AbstractBaseUser:
    """Return the user with this user name or e-mail address. Raises UserNotFound."""
    model = get_user_model()
    try:
        user: AbstractBaseUser = model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist:
        raise UserNotFound(f"There is no user {name}.") from None
    return user


def explain(user: AbstractBaseUser | None, channel: str) -> AccessDecision:
    """Return whether `user` (None: anonymous) may subscribe to `channel`, by its full Pusher name, and why."""
    if not NAME.fullmatch(channel):
        reason = f"A channel name must have 1 to {MAX_CHANNEL_NAME_LENGTH} of: {NAME_CHARACTERS}"
        return AccessDecision(channel, None, None, reason)
    found = find(channel)
    if found is None:
        reason = "No pattern matches this name; `manage.py channels` lists them."
        return AccessDecision(channel, None, None, reason)
    pattern = found.pattern
    if user is not None and not user.is_active:
        return AccessDecision(channel, None, pattern, "The account is inactive.")
    if user is None and pattern.needs_auth and not pattern.guests:
        return AccessDecision(channel, None, pattern, "The channel is not public and the user is anonymous.")
    audience = pattern.authorize(user, [found.parts])[0]
    verb = "refuses" if audience is None else "allows"
    reason = f"The rule {rule_name(pattern.rule)} {verb} it: {rule_summary(pattern.rule)}"
    return AccessDecision(channel, audience, pattern, reason, None if audience is None else _member_name(user, found))


def _member_name(user: AbstractBaseUser | None, found: Found) -> str | None:
    if user is None or not found.pattern.is_presence:
        return None
    member = found.pattern.member(user, **found.parts)
    return None if member is None else display_name(member)


def channel_type(pattern: ChannelPattern) -> str:
    """Return the type of a pattern's channels: private, presence, public cache ..."""
    return CHANNEL_TYPES.get(pattern.prefix) or pattern.prefix.rstrip("-").replace("-", " ")


def rule_name(rule: Any) -> str:
    """Return the module and name of a rule."""
    rule = rule.func if isinstance(rule, partial) else rule
    named = rule if hasattr(rule, "__qualname__") else type(rule)
    return f"{named.__module__}.{named.__qualname__}"


def rule_summary(rule: Any) -> str:
    """Return the first line of a rule's docstring."""
    rule = rule.func if isinstance(rule, partial) else rule
    return (inspect.getdoc(rule) or "(no description)").splitlines()[0]


def pattern_name(pattern: ChannelPattern) -> str:
    """Return the full Pusher name of a pattern, with its placeholders."""
    return pattern.prefix + pattern.route
