"""The desk's channels beside those of every kind: where several people and strangers play against the server."""

from tests.support import channel_patterns
from tikm import channels

channelpatterns = [*channels.channelpatterns, *channel_patterns.channelpatterns]
