"""Authorize a user for channels: the audience they belong to, and how other members see them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

from realtime import protocol
from realtime.channels.patterns import Audience, Found, authorize_found, find
from realtime.protocol import Member

User = AbstractBaseUser | None


@dataclass(frozen=True)
class Signature:
    """A valid signature of a subscription, and the presence member in its data, if any."""

    member: Member | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a user may receive on a channel, and, on presence channels, the member that others see."""

    audience: Audience
    member: Member | None = None


WITHOUT_MEMBER = {audience: Authorization(audience) for audience in Audience}  # shared, to save memory


def authorize_channels(
    load_user: Callable[[], User],
    channels: Iterable[str],
    *,
    signatures: Mapping[str, Signature] | None = None,
    signed_in_id: str | None = None,
) -> tuple[User, dict[str, Authorization | None]]:
    """Load the user, and authorize them for each channel (full Pusher names); None means refused.

    `signatures` holds valid signatures by channel. `signed_in_id` is the id given by pusher:signin: the user's own
    channel needs no pattern.
    """
    user, signatures = load_user(), signatures or {}
    authorizations: dict[str, Authorization | None] = dict.fromkeys(channels)
    if signed_in_id is not None and (own := protocol.SERVER_TO_USER + signed_in_id) in authorizations:
        authorizations[own] = Authorization(Audience.PUBLIC)
    found = {
        channel: match
        for channel in authorizations
        if (match := find(channel)) is not None
        and not (user is None and match.pattern.needs_auth and channel not in signatures)
    }
    for channel, audience in authorize_found(user, found).items():
        authorizations[channel] = _authorization(user, found[channel], audience, signatures.get(channel))
    return user, authorizations


def _authorization(
    user: User, found: Found, audience: Audience | None, signature: Signature | None
) -> Authorization | None:
    """Describe users of this site by the server's own data, and others by what was signed for them."""
    if audience is None:
        return None
    if not found.pattern.is_presence:
        return WITHOUT_MEMBER[audience]
    if user is not None:
        return Authorization(audience, found.pattern.member(user, **found.parts))
    member = signature.member if signature is not None else None
    return None if member is None else Authorization(audience, member)
