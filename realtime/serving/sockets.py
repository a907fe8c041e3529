"""One process of sockets, on uvicorn."""

import asyncio
import resource
import socket
from argparse import ArgumentParser, Namespace

import uvicorn
from django.conf import settings

from realtime import limits
from realtime.serve.drain import drain
from realtime.server import hub
from realtime.serving.door import Door
from realtime.serving.lifeline import Lifeline
from realtime.serving.neighbours import Neighbours
from realtime.serving.turnstile import Turnstile, history_path
from realtime.websocket.protocol import WebSocket

FINISH_WITHIN = 10  # seconds that requests have to end, once nobody new is let in
MAX_MESSAGE = 16 * limits.MAX_MESSAGE_SIZE  # bytes; up to here the consumer says what is too large, beyond 1009 does


class Config(uvicorn.Config):
    """How our sockets are served; whose address a forwarded header may tell is the application's to say."""

    def __init__(self, pages: str) -> None:
        self.pages = pages  # path of the Unix socket behind which the pages are; "" where this process has them
        self.histories, self.history_path = Turnstile(), history_path()
        super().__init__(
            settings.ASGI_APPLICATION[::-1].replace(".", ":", 1)[::-1],
            http=Door,
            ws=WebSocket,
            ws_max_size=MAX_MESSAGE,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=FINISH_WITHIN,
        )


class Server(uvicorn.Server):
    """Says that it serves, and sends its people away before it ends."""

    def __init__(self, config: Config, lifeline: Lifeline, neighbours: Neighbours, seconds: float) -> None:
        super().__init__(config)
        self._lifeline, self._neighbours, self._seconds = lifeline, neighbours, seconds

    async def on_tick(self, counter: int) -> bool:
        """Say it once a second, and let in who waits in vain beside us."""
        if counter % 10 == 0:
            self._lifeline.beat()
            for connection in self._neighbours.let_in():
                await asyncio.get_running_loop().connect_accepted_socket(self._greet, connection)
        return bool(await super().on_tick(counter))

    def _greet(self) -> Door:
        return Door(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in, send everybody away, finish the requests."""
        for server in self.servers:
            server.close()
        await drain(hub.here(), self._seconds)
        await super().shutdown(sockets)


def serve(options: Namespace) -> None:
    """Serve on an open listening socket until SIGTERM."""
    allow_many_files()
    own, *others = (socket.socket(fileno=fd) for fd in options.fds)
    server = Server(Config(options.pages), Lifeline(options.lifeline), Neighbours(others), options.drain)
    server.run(sockets=[own])


def allow_many_files() -> None:
    """Raise this process's limit of open files as far as it may: each socket is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def options(arguments: list[str]) -> Namespace:
    """Return what the supervisor says: open file descriptors, the pages' address, how long sending away takes."""
    parser = ArgumentParser()
    parser.add_argument("--fd", dest="fds", type=int, action="append", required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--pages", default="")
    parser.add_argument("--drain", type=float, required=True)
    return parser.parse_args(arguments)
