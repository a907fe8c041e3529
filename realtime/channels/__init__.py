"""Channel patterns, and who may subscribe to a channel."""

from realtime.channels.patterns import NAME as NAME
from realtime.channels.patterns import Audience as Audience
from realtime.channels.patterns import ChannelPattern as ChannelPattern
from realtime.channels.patterns import ClientEventCopy as ClientEventCopy
from realtime.channels.patterns import Found as Found
from realtime.channels.patterns import Parts as Parts
from realtime.channels.patterns import as_sent as as_sent
from realtime.channels.patterns import authorize as authorize
from realtime.channels.patterns import authorize_found as authorize_found
from realtime.channels.patterns import authorize_many as authorize_many
from realtime.channels.patterns import channel_patterns as channel_patterns
from realtime.channels.patterns import find as find
from realtime.channels.patterns import is_channel_name as is_channel_name
from realtime.channels.patterns import presence as presence
from realtime.channels.patterns import private as private
from realtime.channels.patterns import public as public
