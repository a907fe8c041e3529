"""gunicorn's worker class for pages and sockets in one process."""

import asyncio
import faulthandler
import os
import signal
from typing import Any

from gunicorn.workers.base import Worker as BaseWorker

HEARTBEAT_INTERVAL = 1.0  # seconds


class Worker(BaseWorker):  # type: ignore[misc]
    """Runs uvicorn on gunicorn's listening sockets."""

    _server: Any = None

    def init_signals(self) -> None:
        """Print where the worker is stuck when the arbiter aborts it (SIGABRT); uvicorn handles SIGTERM."""
        super().init_signals()
        signal.signal(signal.SIGABRT, signal.SIG_DFL)  # the base class raises SystemExit, which uvicorn catches
        faulthandler.enable()

    def load_wsgi(self) -> None:
        """Load the application, and the code that serves it, which the arbiter must not load."""
        super().load_wsgi()
        from realtime.serve.server import Server

        self._server = Server(self.wsgi, drain=self.app.drain, while_serving=self._send_heartbeats)

    def run(self) -> None:
        """Serve until SIGTERM, or until the arbiter is gone."""
        self._server.run(sockets=[each.sock for each in self.sockets])

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop without a drain: the arbiter got SIGINT or SIGQUIT."""
        if self._server is None:
            super().handle_quit(sig, frame)
        else:
            self._server.should_exit = self._server.force_exit = True

    async def _send_heartbeats(self) -> None:
        """Notify the arbiter from the event loop, so that a worker whose loop is blocked is killed."""
        while True:
            self.notify()
            if os.getppid() != self.ppid:
                self._server.should_exit = True
            await asyncio.sleep(HEARTBEAT_INTERVAL)
