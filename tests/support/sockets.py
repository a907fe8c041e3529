"""Sockets of the cast: the frames that a user's Pusher client receives."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import User
from realtime.broadcasting.channel_layer import default_layer
from realtime.broadcasting.events import Event, ForChannel
from realtime.broadcasting.publish import publish
from realtime.channels import Audience
from realtime.server import hub
from tests.support.sign_in import reauthenticate
from tikm.asgi import application

TIMEOUT = 60  # seconds, on a busy machine
HOST = "testserver"


@dataclass(frozen=True)
class Barrier(Event):
    """A barrier event: when it has arrived, everything sent before has arrived."""

    broadcast_as = "test.fence"
    channel: str

    def broadcast_on(self) -> list[str | ForChannel]:
        return [self.channel]

    def broadcast_to(self) -> Audience:
        return Audience.PUBLIC

    def broadcast_guard(self) -> str:
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        return {}


class SocketClient:
    """One socket, and every frame it has received."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator
        self.received: list[dict[str, Any]] = []
        self.socket_id = ""

    async def frame(self) -> dict[str, Any]:
        """Return the next frame, its data decoded."""
        message = await self.communicator.receive_output(TIMEOUT)
        if message["type"] == "websocket.close":
            return {"event": "closed", "code": message["code"]}
        frame: dict[str, Any] = json.loads(message["text"])
        if isinstance(frame.get("data"), str):
            frame["data"] = json.loads(frame["data"])
        self.received.append(frame)
        return frame

    async def event(self, name: str) -> Any:
        """Return the data of the next frame called `name`; earlier ones are kept in `received`."""
        while True:
            frame = await self.frame()
            if frame["event"] == name:
                return frame.get("data", frame)
            assert frame["event"] != "closed", f"closed {frame['code']} before {name}"

    async def send(self, event: str, **data: Any) -> None:
        """Send a client's frame."""
        await self.communicator.send_to(text_data=json.dumps({"event": event, "data": data}))

    async def subscribe(self, channel: str, **data: str) -> dict[str, Any]:
        """Subscribe, and return the answer."""
        await self.send("pusher:subscribe", channel=channel, **{"auth": "", **data})
        while True:
            frame = await self.frame()
            if frame.get("channel") == channel and "subscription" in frame["event"]:
                return frame

    async def receives_nothing(self, channel: str) -> bool:
        """Return whether nothing arrives before a barrier that is sent now on `channel`."""
        before = len(self.received)
        await database_sync_to_async(publish)(Barrier(channel))
        await self.event("test.fence")
        return len(self.received) == before + 1

    async def close(self) -> None:
        """Disconnect."""
        await self.communicator.disconnect()


async def open_socket(
    user: User | None = None, *, path: str = "/app/tikm?protocol=7", address: str = "127.0.0.1", **headers: str | None
) -> SocketClient:
    """Open a socket as a page of `user` does: session cookie and Origin."""
    sent = {"host": HOST, "origin": f"http://{HOST}", **headers}
    if user is not None:
        sent["cookie"] = await sync_to_async(session_cookie)(user)
    pairs = [(key.encode(), value.encode()) for key, value in sent.items() if value is not None]
    listener = SocketClient(WebsocketCommunicator(application, path, headers=pairs))
    listener.communicator.scope["client"] = (address, 50000)
    connected, _ = await listener.communicator.connect(TIMEOUT)
    assert connected
    return listener


async def connect(user: User | None = None, **options: Any) -> SocketClient:
    """Open a socket and wait until the connection is established."""
    listener = await open_socket(user, **options)
    listener.socket_id = (await listener.event("pusher:connection_established"))["socket_id"]
    return listener


async def subscribe(user: User, channel: str) -> SocketClient:
    """Open a socket of `user`, subscribed to `channel`."""
    listener = await connect(user)
    answer = await listener.subscribe(channel)
    assert answer["event"] == "pusher_internal:subscription_succeeded", answer
    return listener


def session_cookie(user: User) -> str:
    """Sign `user` in and return the cookie."""
    client = Client()
    client.force_login(user)
    reauthenticate(client, user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


async def until(predicate: Callable[[], object]) -> None:
    """Return once `predicate` is true; raise TimeoutError after TIMEOUT."""
    async with asyncio.timeout(TIMEOUT):
        while not predicate():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def do(verb: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a verb where the database is."""
    return await database_sync_to_async(verb)(*args, **kwargs)


async def settle() -> None:
    """Wait until everything that was sent to a group has been written to its sockets."""
    layer, here = cast(Any, default_layer()), hub.here()
    await here.log_tailer.read()
    while True:
        await asyncio.sleep(0)
        is_quiet = all(queue.empty() for queue in layer.channels.values())
        busy = [socket for socket in here.sockets if socket.revalidation.is_busy]
        if is_quiet and not busy and here.queries.is_idle and here.fan_out.is_idle:
            await asyncio.sleep(0)
            return
