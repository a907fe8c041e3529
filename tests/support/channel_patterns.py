"""Channels of every kind, for tests of the server that need no desk."""

from typing import Any

from django.contrib.auth import get_user_model

from realtime.channels import Audience, as_sent, presence, private, public


def anybody(user: Any, **_: Any) -> Audience:
    return Audience.PUBLIC


def strangers(user: Any, **_: Any) -> Audience | None:
    return None if user.is_authenticated else Audience.PUBLIC


def watchlist(user: Any) -> dict[str, Any]:
    """Have everybody hear of everybody else who comes online."""
    return {"watchlist": [str(other.pk) for other in get_user_model().objects.exclude(pk=user.pk)]}


channelpatterns = [
    public("news", counts=True),
    public("talk.<slug:name>"),
    public("weather", cache=True),
    public("lobby", strangers),
    private("room.<slug:name>", anybody, client_events={"client-*": as_sent}, guests=True),
    private("forecast", anybody, cache=True),
    private("vault", anybody, encrypted=True, guests=True),
    presence("room.<slug:name>", anybody, client_events={"client-*": as_sent}, guests=True),
]
