"""Signatures of other back ends for a socket, and clients that use them."""

import json
from typing import Any

from realtime import protocol
from tests.support.sockets import SocketClient

SECRET = "tests-only-app-secret"
SUCCEEDED = "pusher_internal:subscription_succeeded"
REFUSED = "pusher:subscription_error"


async def send_client_event(speaker: SocketClient, event: str, channel: str, data: Any) -> None:
    text = json.dumps({"event": event, "channel": channel, "data": data})
    await speaker.communicator.send_to(text_data=text)


def signed(listener: SocketClient, channel: str, user_id: Any = None, **info: Any) -> dict[str, str]:
    """Return another back end's signature for a user unknown to this site."""
    data = "" if user_id is None else json.dumps({"user_id": user_id, "user_info": info})
    return signed_text(listener, channel, data)


def signed_text(listener: SocketClient, channel: str, data: str) -> dict[str, str]:
    """Return a true signature of any channel data."""
    auth = protocol.channel_auth("tikm", SECRET, listener.socket_id, channel, data)
    return {"auth": auth} | ({"channel_data": data} if data else {})


def user_data(listener: SocketClient, user_id: Any, secret: str = SECRET, **more: Any) -> dict[str, str]:
    return signed_user(listener, json.dumps({"id": user_id, **more}), secret)


def signed_user(listener: SocketClient, data: str, secret: str = SECRET) -> dict[str, str]:
    """Return a signature of any user data."""
    return {"auth": protocol.user_auth("tikm", secret, listener.socket_id, data), "user_data": data}


async def sign_in(listener: SocketClient, user_id: str, **more: Any) -> None:
    await listener.send("pusher:signin", **user_data(listener, user_id, **more))
    await listener.event("pusher:signin_success")
    assert (await listener.subscribe(f"#server-to-user-{user_id}"))["event"] == SUCCEEDED


async def send(listener: SocketClient, text: str) -> None:
    """Send a frame as it is."""
    await listener.communicator.send_input({"type": "websocket.receive", "text": text})


async def answers(listener: SocketClient) -> list[dict[str, Any]]:
    """Return every frame that this socket is sent before the answer to a ping: frames are handled in their order."""
    before = len(listener.received)
    await listener.send("pusher:ping")
    await listener.event("pusher:pong")
    return listener.received[before:-1]
