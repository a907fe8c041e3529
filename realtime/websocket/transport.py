"""How a server offers its end of a socket: frames that are ready go there, and no task waits for what comes."""

from collections.abc import Callable
from typing import Protocol

EXTENSION = "realtime.websocket.transport"  # where it is: scope["extensions"]


class TransportHandler(Protocol):
    """Who takes what comes from a socket; none of these may wait."""

    def hear_text(self, text: str) -> None:
        """Take a text message."""

    def hear_bytes(self, data: bytes) -> None:
        """Take a binary message."""

    def fall_behind(self) -> None:
        """Learn that the peer reads too slowly: more than was allowed waits for it."""

    def catch_up(self) -> None:
        """Learn that the peer has read the most of it."""

    def end(self, code: int) -> None:
        """Learn that nothing more comes, and by which code (RFC 6455, section 7.1.5); told once."""


class Transport(Protocol):
    """The server's end of a socket (`realtime.websocket.protocol`)."""

    send_now: Callable[[bytes], None]  # the shortest way; not to be called once the listener was told the end

    def write(self, frames: bytes) -> None:
        """Send whole frames now; once the socket is closing, nothing."""

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame behind what was written; whoever does not answer it is cut off."""

    def hand_to(self, listener: TransportHandler, *, most_unread: int) -> None:
        """Tell `listener` from now on; the ASGI application may end. Past so many bytes the peer falls behind."""

    def pause_reading(self) -> None:
        """Take nothing more from the peer, which says more than can be answered."""

    def resume_reading(self) -> None:
        """Take what comes again."""
