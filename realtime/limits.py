"""Limits of one connection, one user, one client address and one HTTP API request. Constants only."""

from limits import parse

# Messages and events
MAX_MESSAGE_SIZE = 16 * 1024  # bytes of one message from a client
MAX_EVENT_SIZE = 10 * 1024  # bytes of one event's data (Pusher: 10 KB)
MAX_CHANNEL_NAME_LENGTH = 164  # characters (Pusher)
MAX_EVENT_NAME_LENGTH = 200  # characters
MAX_USER_ID_LENGTH = 128  # characters
MAX_USER_INFO_SIZE = 1024  # bytes of a presence member's user_info

# Connections
MAX_SUBSCRIPTIONS = 100  # channels of one connection
MAX_WATCHLIST_USERS = 100  # users on one connection's watchlist
# After a crash the connections of the old process still count until its lease expires, beside those that reconnect.
MAX_CONNECTIONS_PER_USER = 100
MAX_CONNECTIONS_PER_ADDRESS = 5000  # an office may share one address
MAX_ANONYMOUS_CONNECTIONS_PER_ADDRESS = 200
# A connection over a limit is counted again after each of these seconds: others may be closing at the same time.
ADMISSION_RETRIES = (0.1, 0.3, 0.8, 1.3)
MAX_WAITING_CONNECTIONS = 500  # of one process; beyond it a connection over a limit is refused at once
MAX_PENDING_FRAMES = 1000  # frames held for one subscription while it is revalidated
MAX_WRITE_BUFFER = 1024 * 1024  # bytes waiting for a client that reads slowly; beyond it `Connection.drop`
MAX_DISCARDED_BYTES = 1024 * 1024  # bytes read and discarded after a protocol error
CLOSE_TIMEOUT = 5  # seconds until a closing connection is aborted

# Rates of one connection
CLIENT_EVENT_RATE = 10  # client events per second (Pusher)
MESSAGE_RATE = 20  # messages per second
MESSAGE_BURST = 300  # messages: a reconnecting client subscribes to all its channels at once
FRAME_RATE = 100  # WebSocket frames per second, with pings and fragments
FRAME_BURST = 1000  # frames
BYTES_PER_FRAME_TOKEN = 4096  # a larger frame costs several tokens

# History
MAX_HISTORY_CHANNELS = 20  # channels of one request
MAX_HISTORY_EVENTS = 500  # events of one response; beyond that the page reloads its content

# Webhooks
MAX_WEBHOOK_URL_LENGTH = 500  # characters

# Pusher HTTP API
MAX_REQUEST_SIZE = 1024 * 1024  # bytes: ten events with every character escaped
MAX_TRIGGER_CHANNELS = 100  # channels of one event (Pusher)
MAX_BATCH_EVENTS = 10  # events of one batch (Pusher)

HTTP_API_RATE = parse("12000/minute")  # requests of one app
HISTORY_RATE = parse("120/minute")  # requests of one user
AUTH_RATE = parse("300/minute")  # requests of one user
