"""The site's channels beside those of every kind, for simulations with users and anonymous clients."""

from tests.support import channel_patterns
from tikm import channels

channelpatterns = [*channels.channelpatterns, *channel_patterns.channelpatterns]
