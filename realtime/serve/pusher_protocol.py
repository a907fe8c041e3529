"""The WebSocket protocol class of the production server. It needs the packages of the `serve` extra."""

import asyncio
import re
from typing import Any

from realtime.consumers import PusherConsumer
from realtime.server.receive_queue import ReceiveQueue
from realtime.utils.client_address import apply_proxy_headers
from realtime.websocket.protocol import WebSocketProtocol

APP_PATH = re.compile(r"/app/([^/]+)")


class PusherProtocol(WebSocketProtocol):
    """The WebSocket protocol class for uvicorn: calls the consumer directly on /app/{key}, ASGI on other paths."""

    __slots__ = ()

    def connect(self, scope: dict[str, Any]) -> ReceiveQueue | None:
        """Open a consumer, in a task that ends once the client is greeted."""
        match = APP_PATH.fullmatch(scope["path"])
        if match is None:
            return None
        apply_proxy_headers(scope)
        scope["url_route"] = {"kwargs": {"key": match[1]}}
        consumer = PusherConsumer()
        consumer.attach(self)
        queue = ReceiveQueue(consumer, self)
        task = asyncio.get_running_loop().create_task(queue.open(scope))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)
        return queue
