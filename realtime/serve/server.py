"""uvicorn, as our processes run it: bounded requests, our WebSocket class, and a drain before the shutdown."""

import asyncio
import gc
import resource
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
from django.utils.module_loading import import_string

from realtime import limits
from realtime.conf import config
from realtime.serve.admission import Admission
from realtime.serve.drain import drain
from realtime.serve.http import HTTPProtocol
from realtime.server import hub

BACKLOG = 4096  # connections that wait to be accepted; the system may allow fewer (net.core.somaxconn)
KEEP_ALIVE = 5  # seconds that a connection stays open between requests; a proxy closes it sooner
FINISH_TIMEOUT = 10  # seconds after the drain within which requests must end
MAX_MESSAGE = 16 * limits.MAX_MESSAGE_SIZE  # bytes; the consumer refuses smaller ones itself, with a Pusher error


class Config(uvicorn.Config):
    """uvicorn's options. Forwarded headers are read by the application (realtime/utils/client_address.py)."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            app,
            http=HTTPProtocol,
            ws=import_string(config().websocket_class),
            ws_max_size=MAX_MESSAGE,
            ws_ping_interval=None,
            ws_per_message_deflate=False,  # it takes 38 KB a socket
            lifespan="off",
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="error",  # below that a client could fill the log
            timeout_graceful_shutdown=FINISH_TIMEOUT,
        )


class Server(uvicorn.Server):
    """uvicorn's server. It asks its clients to reconnect before it stops."""

    def __init__(
        self, app: Any, *, drain: float, while_serving: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        super().__init__(Config(Admission(app)))
        self._drain, self._while_serving = drain, while_serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections. Objects that exist by now stay: collecting them costs a seventh of the CPU time."""
        raise_file_limit()
        await super().startup(sockets)
        gc.freeze()
        if self._while_serving is not None:
            self._task = asyncio.create_task(self._while_serving())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, drain the sockets, then finish running requests."""
        for server in self.servers:
            server.close()
        if not self.force_exit:
            async with asyncio.TaskGroup() as together:
                together.create_task(drain(hub.here(), self._drain))
                together.create_task(self._close_connections())
        await super().shutdown(sockets)

    async def _close_connections(self) -> None:
        """Let each connection end with its next response or its timeout, so that no client reuses a closed one."""
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        for _ in range(KEEP_ALIVE + 1):
            if self.server_state.connections:
                await asyncio.sleep(1)


def raise_file_limit() -> None:
    """Raise the limit of open files as far as allowed: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
