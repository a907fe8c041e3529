"""Channels of every kind, for tests of the server alone."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model

from realtime.channels import Audience, Parts, as_sent, presence, private, public


def allow_everyone(user: Any, channels: Sequence[Parts]) -> list[Audience]:
    return [Audience.PUBLIC] * len(channels)


def allow_anonymous(user: Any, channels: Sequence[Parts]) -> list[Audience | None]:
    return [None if user.is_authenticated else Audience.PUBLIC] * len(channels)


def watchlist(user: Any) -> dict[str, Any]:
    """Put every user on the watchlist of every other."""
    return {"watchlist": [str(other.pk) for other in get_user_model().objects.exclude(pk=user.pk)]}


channelpatterns = [
    public("news", counts=True),
    public("talk.<slug:name>"),
    public("weather", cache=True),
    public("lobby", allow_anonymous),
    private("room.<slug:name>", allow_everyone, client_events={"client-*": as_sent}, guests=True),
    private("forecast", allow_everyone, cache=True),
    private("vault", allow_everyone, encrypted=True, guests=True),
    presence("room.<slug:name>", allow_everyone, client_events={"client-*": as_sent}, guests=True),
]
