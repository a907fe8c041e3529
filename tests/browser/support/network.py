"""A proxy between browser and server that tests can cut and restore."""

import contextlib
import socket
import threading


class Wire:
    """Forwards every TCP connection to `port` on loopback; while cut, nothing gets through."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._ends: set[socket.socket] = set()
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and let none through until it is mended."""
        self._is_cut = True
        for end in tuple(self._ends):
            _disconnect(end)

    def silence(self) -> None:
        """Hold everything back, without a word to either end, until it is mended."""
        self._flows.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False
        self._flows.set()

    def close(self) -> None:
        """End for good."""
        self.cut()
        self._flows.set()
        _disconnect(self._door)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._door.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            if self._is_cut:
                raise ConnectionError
            far = socket.create_connection(self._target)
        except OSError:
            _disconnect(near)
            return
        self._ends |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            _disconnect(end)
            self._ends.discard(end)


def _disconnect(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
