"""Sizes, counts and rates that bound one socket, one user and one client address."""

from limits import parse

MAX_FRAME = 16 * 1024  # bytes a client may send in one frame
MAX_EVENT = 10 * 1024  # bytes of one event's data (Pusher: 10 KB)
MAX_CHANNEL_NAME = 164  # characters (Pusher's documentation)
MAX_EVENT_NAME = 200  # characters
MAX_USER_ID = 128  # characters of a member's or a signed-in person's id
MAX_USER_INFO = 1024  # bytes of what a presence channel tells of a member
MAX_WATCHLIST = 100  # people whom one socket watches
MAX_SUBSCRIPTIONS = 100  # channels of one socket
# Room for twice as many as there are: those of a killed process count for its lease, while they come back elsewhere.
MAX_SOCKETS_A_PERSON = 100  # sockets of one person
MAX_SOCKETS_AN_ADDRESS = 5000  # sockets from one address: a whole office may be behind it
MAX_STRANGERS_AN_ADDRESS = 200  # of which are nobody's so far
CLIENT_EVENTS_A_SECOND = 10  # of one socket (Pusher: client events)
MAX_HELD = 1000  # frames of one channel that wait for its rule to answer again
MAX_PENDING = 1024 * 1024  # bytes that wait for one slow reader
CLOSE_TIMEOUT = 5  # seconds that a client has to read why it is closed, and what was ahead of that
MESSAGES_A_SECOND = 20  # frames of one socket in the long run
MESSAGES_AT_ONCE = 300  # frames of one socket in a burst: a client subscribes anew to all it has after a break
FRAMES_A_SECOND = 100  # of WebSocket, of one socket: pings and pieces of messages count too
FRAMES_AT_ONCE = 1000
FRAME_SIZE = 4096  # bytes; a larger frame counts as several
MAX_UNHEARD = 1024 * 1024  # bytes that are read of a socket that is closed for what it said
MAX_HISTORY_CHANNELS = 20  # channels of one history request
MAX_HISTORY_EVENTS = 500  # events of one history answer; beyond it a page renews itself

MAX_REQUEST = 1024 * 1024  # bytes of one request to the HTTP API: ten events, whatever their escapes
MAX_TRIGGER_CHANNELS = 100  # channels of one event that comes in by HTTP (Pusher's)
MAX_BATCH = 10  # events of one batch (Pusher's)

HTTP_API_RATE = parse("12000/minute")  # requests of one app
HISTORY_RATE = parse("120/minute")  # requests of one person
AUTH_RATE = parse("300/minute")
