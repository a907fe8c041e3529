"""What ties a process to its supervisor: a socket on which it says that it serves, and learns that it is alone."""

import os
import signal
import socket
import threading
from contextlib import suppress


class Lifeline:
    """The end of the process; the supervisor has the other one."""

    def __init__(self, fd: int) -> None:
        """Take the open file descriptor `fd`; when the supervisor is gone, this process gets SIGTERM."""
        self._socket = socket.socket(fileno=fd)
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def beat(self) -> None:
        """Say that this process serves."""
        with suppress(OSError):
            self._socket.send(b".", socket.MSG_DONTWAIT)

    def _watch(self) -> None:
        with suppress(OSError):
            while self._socket.recv(1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
