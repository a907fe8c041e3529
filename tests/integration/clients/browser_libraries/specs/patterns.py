"""Channels of any name, for every client with a signature."""

from realtime.channels import as_sent, presence, private, public
from tests.support.channel_patterns import allow_everyone

_open = {"rule": allow_everyone, "guests": True, "client_events": {"client-*": as_sent}}

channelpatterns = [public("<slug:name>"), private("<slug:name>", **_open), presence("<slug:name>", **_open)]
