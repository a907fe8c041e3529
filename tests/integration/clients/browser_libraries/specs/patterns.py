"""Channels of any name, for whoever has a signature."""

from realtime.channels import as_sent, presence, private, public
from tests.support.channel_patterns import anybody

_open = {"rule": anybody, "guests": True, "client_events": {"client-*": as_sent}}

channelpatterns = [public("<slug:name>"), private("<slug:name>", **_open), presence("<slug:name>", **_open)]
