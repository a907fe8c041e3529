"""What somebody is on a channel: as whom he hears it, and how its other listeners see him."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

from realtime import protocol
from realtime.channels import Audience, Found, ask_each, find
from realtime.protocol import Member

Person = AbstractBaseUser | None


@dataclass(frozen=True)
class Signed:
    """A subscription whose signature was found valid, and the member that its data name, if any."""

    member: Member | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """The audience that a listener belongs to; on presence channels the member that others see, None for nobody."""

    audience: Audience
    member: Member | None = None


PLAIN = {audience: Authorization(audience) for audience in Audience}  # one for all who are shown to nobody


def authorize_channels(
    who: Callable[[], Person],
    channels: Iterable[str],
    *,
    signed: Mapping[str, Signed] | None = None,
    signed_in: str | None = None,
) -> tuple[Person, dict[str, Authorization | None]]:
    """Return who that is now, and what he is on each channel (full Pusher names).

    `signed` are the subscriptions, by channel, for which a signature stands. `signed_in` is the id of the person who
    signed in on this connection; his own channel needs no pattern.
    """
    person, signed = who(), signed or {}
    standings: dict[str, Authorization | None] = dict.fromkeys(channels)
    if signed_in is not None and (own := protocol.SERVER_TO_USER + signed_in) in standings:
        standings[own] = Authorization(Audience.PUBLIC)
    all_found = {channel: find(channel) for channel in standings}
    found = {
        channel: each
        for channel, each in all_found.items()
        if each is not None and not (person is None and each.pattern.needs_auth and channel not in signed)
    }
    for channel, audience in ask_each(person, found).items():
        standings[channel] = _standing(person, found[channel], audience, signed.get(channel))
    return person, standings


def _standing(person: Person, found: Found, audience: Audience | None, signed: Signed | None) -> Authorization | None:
    """Show people of this site by the server's own word; whoever else is signed for, by what was signed."""
    if audience is None:
        return None
    if not found.pattern.is_presence:
        return PLAIN[audience]
    if person is not None:
        return Authorization(audience, found.pattern.member(person, **found.parts))
    member = signed.member if signed is not None else None
    return None if member is None else Authorization(audience, member)
