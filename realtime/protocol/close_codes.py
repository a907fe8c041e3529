"""Why a socket is closed: one table of close codes, and what a client does next ("Error codes" of the protocol).

4000-4099: the client stays away. 4100-4199: it reconnects after a delay. 4200-4299: it reconnects at once.
The reason is sent in a `pusher:error` frame ahead of the close frame.
"""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class CloseReason:
    """A close code (RFC 6455, section 7.4) and its explanation for the developer of a client."""

    code: int
    message: str

    @property
    def ends_access(self) -> bool:
        """Whether the user lost access, so that presence is not kept for a reconnect."""
        return self.code == 4009

    def format(self, **values: object) -> "CloseReason":
        """Return the reason with the placeholders of its message filled in."""
        return replace(self, message=self.message.format(**values))


# The client stays away.
UNKNOWN_APP: Final = CloseReason(4001, "There is no app with this key.")
APP_DISABLED: Final = CloseReason(4003, "Broadcasting is disabled.")
PATH_NOT_FOUND: Final = CloseReason(4005, "The WebSocket URL is /app/{key}.")
INVALID_VERSION: Final = CloseReason(4006, "The client version is malformed.")
UNSUPPORTED_PROTOCOL: Final = CloseReason(4007, "Protocol {number} is not supported; use 5, 6 or 7.")
ORIGIN_NOT_ALLOWED: Final = CloseReason(4009, "This origin is not allowed.")
SESSION_ENDED: Final = CloseReason(4009, "The session has ended.")
DISCONNECTED: Final = CloseReason(4009, "The user was disconnected.")
INVALID_SIGNATURE: Final = CloseReason(4009, "The signature is not valid for this connection.")
SIGN_IN_REFUSED: Final = CloseReason(4009, "This user cannot sign in on this connection.")
NOT_AUTHENTICATED: Final = CloseReason(4009, "Subscribe or sign in within {seconds:.0f} seconds.")
BINARY_FRAME: Final = CloseReason(1003, "Binary frames are not supported.")

# The client reconnects after a delay.
TOO_MANY_CONNECTIONS_OF_USER: Final = CloseReason(4101, "Too many connections for this user.")
TOO_MANY_CONNECTIONS_FROM_ADDRESS: Final = CloseReason(4100, "Too many connections from this address.")
TOO_MANY_MESSAGES: Final = CloseReason(4100, "Too many messages.")
TOO_MANY_FRAMES: Final = CloseReason(4100, "Too many frames.")
SLOW_CONSUMER: Final = CloseReason(4100, "The client reads too slowly.")
SERVER_ERROR: Final = CloseReason(4100, "The server could not process the request; reconnect.")

# The client reconnects at once.
DRAINING: Final = CloseReason(4200, "The server is restarting; reconnect.")
AUTHORIZE_AGAIN: Final = CloseReason(4200, "Access has changed; reconnect and authorize again.")
AUTHORIZATION_FAILED: Final = CloseReason(4200, "Authorization could not be checked; reconnect.")
AUTHORIZATION_TOO_SLOW: Final = CloseReason(4200, "Authorization takes too long; reconnect.")
PONG_TIMEOUT: Final = CloseReason(4201, "No pong was received in time.")

# Codes of `pusher:error` frames that leave the socket open.
INVALID_MESSAGE: Final = 4200
CLIENT_EVENT_REJECTED: Final = 4301
WATCHLIST_TOO_LONG: Final = 4302
