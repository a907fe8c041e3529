"""What somebody is on a channel: as whom he hears it, and how its other listeners see him."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

from realtime import protocol
from realtime.channels import Audience, ChannelPattern, Found, find
from realtime.protocol import Member


@dataclass(frozen=True)
class Signed:
    """A subscription whose signature was found valid, and the member that its data name, if any."""

    member: Member | None = None


@dataclass(frozen=True)
class Standing:
    """The audience that a listener belongs to; on presence channels the member that others see, None for nobody."""

    audience: Audience
    member: Member | None = None


def ask(
    who: Callable[[], AbstractBaseUser | None],
    channel: str,
    *,
    signed: Signed | None = None,
    signed_in: str | None = None,
) -> tuple[AbstractBaseUser | None, Standing | None]:
    """Return who that is now, and what he is on a channel (full Pusher name).

    `signed_in` is the id of the person who signed in on this connection; his own channel needs no pattern.
    """
    person = who()
    if channel.startswith(protocol.SERVER_TO_USER):
        is_own = signed_in is not None and channel == protocol.SERVER_TO_USER + signed_in
        return person, Standing(Audience.PUBLIC) if is_own else None
    found = find(channel)
    return person, None if found is None else _standing(person, found, signed)


def _standing(person: AbstractBaseUser | None, found: Found, signed: Signed | None) -> Standing | None:
    pattern, parts = found
    if person is None and pattern.needs_auth and signed is None:
        return None
    audience = pattern.ask(person, [parts])[0]
    if audience is None:
        return None
    if not pattern.is_presence:
        return Standing(audience)
    return _member(person, pattern, parts, audience, signed)


def _member(
    person: AbstractBaseUser | None,
    pattern: ChannelPattern,
    parts: dict[str, object],
    audience: Audience,
    signed: Signed | None,
) -> Standing | None:
    """Show people of this site by the server's own word; whoever else is signed for, by what was signed."""
    if person is not None:
        return Standing(audience, pattern.member(person, **parts))
    member = signed.member if signed is not None else None
    return None if member is None else Standing(audience, member)
