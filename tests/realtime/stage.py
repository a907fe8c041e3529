"""The desk's channels beside those of every kind: where several people and strangers play against the server."""

from tests.realtime import patterns
from tikm import channels

channelpatterns = [*channels.channelpatterns, *patterns.channelpatterns]
