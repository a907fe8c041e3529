"""Channel patterns, and who may subscribe to a channel."""

from realtime.channels.patterns import (
    NAME,
    Audience,
    ChannelPattern,
    Found,
    as_sent,
    ask_each,
    authorize,
    authorize_many,
    channel_patterns,
    find,
    is_channel_name,
    presence,
    private,
    public,
)

__all__ = [
    "NAME",
    "Audience",
    "ChannelPattern",
    "Found",
    "as_sent",
    "ask_each",
    "authorize",
    "authorize_many",
    "channel_patterns",
    "find",
    "is_channel_name",
    "presence",
    "private",
    "public",
]
