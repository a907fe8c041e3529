"""The listening sockets of the processes beside this one: whoever waits there in vain is let in here."""

import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress


class Neighbours:
    """Knows on which of the sockets somebody waits: a process that is stuck, or away for a moment, lets nobody in."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._listeners = listeners
        self._waited: set[socket.socket] = set()
        for listener in listeners:
            listener.setblocking(False)

    def let_in(self) -> Iterator[socket.socket]:
        """Yield the connections of listeners on which somebody waited at the last call already, and still does."""
        waiting = set(select.select(self._listeners, [], [], 0)[0])
        overdue, self._waited = waiting & self._waited, waiting
        for listener in overdue:
            with suppress(OSError):  # nobody is left
                while True:
                    yield listener.accept()[0]
