"""One socket: speaks the Pusher protocol, and asks a channel's rule before and while it is heard."""

import asyncio
import json
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AbstractBaseUser

from realtime import hub, identity, limits, protocol, seal
from realtime.channels import NAME, Audience, group_name, hears
from realtime.conf import config
from realtime.identity import Identity

logger = logging.getLogger(__name__)

FORBIDDEN = 403
ASK_AGAIN = 60  # seconds after which a socket's sign-in is asked for again: a session may simply have expired
CLOSE_TIMEOUT = 5  # seconds that a client has to read why it is closed


Done = Coroutine[Any, Any, None]


class Refused(Exception):
    """A subscription that the rule, the signature or a limit forbids; the text says why."""


class FrameWriter:
    """Writes frames in order without making anybody wait; a reader too slow for MAX_PENDING bytes is given up."""

    def __init__(self, send: Callable[[str], Done], give_up: Callable[[], Done]) -> None:
        self._send, self._give_up = send, give_up
        self._frames: deque[str] = deque()
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def write(self, text: str) -> None:
        """Queue one frame and return at once."""
        self._frames.append(text)
        self._size += _size(text)
        if self._size > limits.MAX_PENDING:
            self.stop()
            self._task = asyncio.create_task(self._give_up())
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def flushed(self) -> None:
        """Return once everything queued was written."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def stop(self) -> None:
        """Forget what was not written."""
        self._frames.clear()
        self._size = 0
        if self._task is not None:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            while self._frames:
                text = self._frames.popleft()
                self._size -= _size(text)
                await self._send(text)
        except (OSError, RuntimeError):
            self._frames.clear()  # the other side is gone; disconnect() follows


class PusherConsumer(AsyncWebsocketConsumer):
    """A Pusher client's connection to /app/{key}."""

    # The hub has the process's one channel of the layer; a socket has none.
    channel_layer_alias = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.socket_id = protocol.new_socket_id()
        self.identity = Identity()
        self.user_id: str | None = None
        self.subscriptions: dict[str, Audience] = {}
        self._asking: set[str] = set()
        self._rechecks: dict[str, int] = {}
        self._before: dict[str, Audience | None] = {}  # None: the audience changed while the rule was asked
        self._held: defaultdict[str, list[str]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._allowance = limits.Allowance(limits.MESSAGES_A_SECOND, limits.MESSAGES_AT_ONCE)
        self._last_heard = self._asked_at = time.monotonic()
        self._pinged = False
        self._closing = False
        self.writer = FrameWriter(self._send_text, self._give_up)

    # -- Channels

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one ASGI event, without the thread hop that stock consumers make for each."""
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket; however it ends, nothing of it stays behind."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        """Accept, then say what is wrong: a client can read a close code, but no HTTP error."""
        await self.accept()
        try:
            problem = self._problem() or await self._arrive()
        except Exception:
            logger.exception("A socket could not be greeted; the client is asked to come back.")
            problem = protocol.OVER_CAPACITY, "The server could not answer; please reconnect."
        if problem:
            await self.fail(*problem)
        else:
            self.write(protocol.connection_established(self.socket_id, config().activity_timeout))

    async def _arrive(self) -> tuple[int, str] | None:
        """Be one of this process's sockets; return close code and reason if this person has too many."""
        await hub.here().add(self)
        self.identity = identity.of_handshake(self.scope)
        self._remember(await self._person())
        others = sum(socket.user_id == self.user_id for socket in hub.here().sockets)
        if self.user_id is not None and others > limits.MAX_SOCKETS_A_PERSON:
            return protocol.OVER_CAPACITY, "Too many connections of one person."
        return None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one frame of the client; what is malformed is answered with pusher:error."""
        if self._closing:
            return
        self._last_heard, self._pinged = time.monotonic(), False
        if self._allowance.is_spent():
            await self.fail(protocol.OVER_CAPACITY, "Too many messages.")
            return
        if text_data is None:
            await self.fail(protocol.UNSUPPORTED_DATA, "Binary frames are not supported.")
            return
        try:
            event, data = _read(text_data)
            await self._handle(event, data)
        except protocol.InvalidMessage as error:
            self.write(protocol.error(protocol.GENERIC_RECONNECT, f"Invalid message: {error}"))
        except Exception:
            logger.exception("A frame could not be handled; the client is asked to come back.")
            await self.fail(protocol.OVER_CAPACITY, "The server could not answer; please reconnect.")

    async def _handle(self, event: str, data: dict[str, Any]) -> None:
        if event == "pusher:ping":
            self.write(protocol.frame("pusher:pong", data="{}"))
        elif event == "pusher:subscribe":
            await self._subscribe(data)
        elif event == "pusher:unsubscribe":
            self._unsubscribe(data)
        elif event.startswith("client-"):
            self.write(protocol.error(protocol.CLIENT_EVENT_REJECTED, "Client events are not enabled here."))
        elif event != "pusher:pong":
            raise protocol.InvalidMessage("This server does not know an event of this name.")

    # -- Subscriptions

    async def _subscribe(self, data: dict[str, Any]) -> None:
        channel = data.get("channel")
        if not isinstance(channel, str) or not NAME.fullmatch(channel):
            raise protocol.InvalidMessage(
                f"A channel's name has 1 to {limits.MAX_CHANNEL_NAME} of the allowed characters."
            )
        try:
            await self._admit(channel, data)
        except Refused as refusal:
            self.write(protocol.subscription_error(channel, FORBIDDEN, str(refusal)))
            return
        self.write(protocol.subscription_succeeded(channel))

    async def _admit(self, channel: str, data: dict[str, Any]) -> None:
        if channel not in self.subscriptions and len(self.subscriptions) >= limits.MAX_SUBSCRIPTIONS:
            raise Refused(f"A connection has at most {limits.MAX_SUBSCRIPTIONS} subscriptions.")
        self._take_signed_identity(channel, data)
        if await self._settle(channel) is None:
            raise Refused("You may not hear this channel.")

    async def _settle(self, channel: str) -> Audience | None:
        """Ask the rule and join, until nothing was revoked meanwhile; return the audience."""
        while True:
            self._asking.add(channel)
            audience = await self._ask(channel)
            if channel in self._asking:
                await self._move(channel, audience)
            if channel in self._asking:
                self._asking.remove(channel)
                return audience

    def _take_signed_identity(self, channel: str, data: dict[str, Any]) -> None:
        """Learn who this is from signed channel data, where neither session nor an earlier subscription told."""
        auth, channel_data = str(data.get("auth") or ""), str(data.get("channel_data") or "")
        if not auth:
            return
        settings = config()
        signed = (settings.app_key, settings.app_secrets, self.socket_id, channel, channel_data)
        if not protocol.is_authentic(auth, *signed):
            raise Refused("The signature is not valid for this channel and connection.")
        if self.user_id is None and channel_data:
            self.identity, self.user_id = _identity(channel_data)

    def _unsubscribe(self, data: dict[str, Any]) -> None:
        channel = str(data.get("channel"))
        audience = self.subscriptions.pop(channel, None)
        if audience is not None:
            hub.here().leave(self, channel, audience)
            self._held.pop(channel, None)

    async def _move(self, channel: str, audience: Audience | None) -> None:
        """Be in the group of `audience` and in no other group of the channel."""
        before = self.subscriptions.pop(channel, None)
        if before is not None and before is not audience:
            hub.here().leave(self, channel, before)
        if audience is not None:
            self.subscriptions[channel] = audience
            await hub.here().join(self, channel, audience)

    async def _ask(self, channel: str) -> Audience | None:
        """Ask the channel's rule for the person as the database has him now."""
        person, audience = await database_sync_to_async(_ask_rule)(self.identity, channel)
        self._remember(person)
        return audience

    # -- What the hub asks

    def hear(self, group: str, frame: str) -> None:
        """Write a frame of a group, or hold it while the rule of its channel is asked again."""
        for channel in self._rechecks:
            if group in (group_name(channel, Audience.PUBLIC), group_name(channel, Audience.STAFF)):
                self._held[channel].append(frame)
                return
        self.write(frame)

    def channels(self) -> set[str]:
        """Return what this socket hears, or has just asked to hear."""
        return self.subscriptions.keys() | self._asking

    def recheck(self, channels: set[str], *, whole_person: bool) -> None:
        """Tell nothing more of `channels` until their rules have answered again."""
        self._asking -= channels  # whoever is asking now asks once more
        subscribed = channels & self.subscriptions.keys()
        for channel in subscribed:
            self._rechecks[channel] = self._rechecks.get(channel, 0) + 1
            self._before.setdefault(channel, self.subscriptions[channel])
        self._spawn(self._recheck(subscribed, whole_person))

    def sweep(self, now: float) -> None:
        """Ping after `activity_timeout` seconds of silence, close 4201 after `pong_timeout` more."""
        if now - self._asked_at > ASK_AGAIN:
            self._asked_at = now
            self._spawn(self._recheck(set(), whole_person=False))
        silence = now - self._last_heard
        settings = config()
        if silence > settings.activity_timeout + settings.pong_timeout and self._pinged:
            self._spawn(self.fail(protocol.PONG_NOT_RECEIVED, "No answer to a ping."))
        elif silence > settings.activity_timeout and not self._pinged:
            self._pinged = True
            self.write(protocol.frame("pusher:ping", data="{}"))

    async def _recheck(self, channels: set[str], whole_person: bool) -> None:
        try:
            if self.user_id is not None and await self._person() is None:
                await self.fail(protocol.UNAUTHORIZED, "You are signed out.")
                return
            if whole_person and self.identity.session_key is None:
                # A signature does not say whether the sign-in that got it has ended: a new one will.
                await self.fail(protocol.GENERIC_RECONNECT, "Please authorise anew.")
                return
            for channel in channels:
                await self._recheck_one(channel)
        except Exception:
            logger.exception("A rule could not be asked again; the client is asked to come back.")
            await self.fail(protocol.GENERIC_RECONNECT, "Please reconnect.")

    async def _recheck_one(self, channel: str) -> None:
        audience = await self._ask(channel)
        if channel in self.subscriptions and audience is not self.subscriptions[channel]:
            self._before[channel] = None
            await self._move(channel, audience)
        self._rechecks[channel] -= 1
        if not self._rechecks[channel]:
            del self._rechecks[channel]
            self._release(channel, self._before.pop(channel))

    def _release(self, channel: str, before: Audience | None) -> None:
        """Tell what was held; a client whose audience changed is admitted anew, and asks the history instead."""
        held, audience = self._held.pop(channel, []), self.subscriptions.get(channel)
        if audience is None:
            self.write(protocol.subscription_error(channel, FORBIDDEN, "Your access has ended."))
        elif audience is not before:
            self.write(protocol.subscription_succeeded(channel))
        else:
            for frame in held:
                self.write(frame)

    # -- Writing

    def write(self, text: str) -> None:
        """Send one frame, without waiting for a slow reader."""
        if not self._closing:
            self.writer.write(text)

    async def fail(self, code: int, message: str) -> None:
        """Say why, and close with `code`: pusher-js reads its retry policy from it."""
        if self._closing:
            return
        self.write(protocol.error(code, message))
        self._closing = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self.writer.flushed(), CLOSE_TIMEOUT)
        await self.close(code)

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _give_up(self) -> None:
        self._leave()
        await self.close(protocol.OVER_CAPACITY)

    def _leave(self) -> None:
        self._closing = True
        hub.here().discard(self)
        for task in self._tasks:
            task.cancel()

    # -- Who

    def _problem(self) -> tuple[int, str] | None:
        """Return close code and reason of a handshake that cannot go on."""
        if self.scope["url_route"]["kwargs"]["key"] != config().app_key:
            return protocol.NO_SUCH_APP, "There is no app with this key."
        if identity.is_foreign(self.scope):
            return protocol.UNAUTHORIZED, "This origin may not connect here."
        version = _protocol_version(self.scope)
        if not protocol.OLDEST_PROTOCOL <= version <= protocol.NEWEST_PROTOCOL:
            return protocol.UNSUPPORTED_PROTOCOL, f"Protocol {version} is not supported; 5 to 7 are."
        return None

    async def _person(self) -> AbstractBaseUser | None:
        return await database_sync_to_async(self.identity.person)()

    def _remember(self, person: AbstractBaseUser | None) -> None:
        if person is not None:
            self.user_id = str(person.pk)

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class WrongPathConsumer(AsyncWebsocketConsumer):
    """Any other WebSocket address: told so with 4005, which clients do not retry."""

    channel_layer_alias = None  # type: ignore[assignment]

    async def connect(self) -> None:
        """Accept, explain, close."""
        await self.accept()
        await self.send(text_data=protocol.error(protocol.PATH_NOT_FOUND, "The socket's address is /app/{key}."))
        await self.close(protocol.PATH_NOT_FOUND)


def _ask_rule(who: Identity, channel: str) -> tuple[AbstractBaseUser | None, Audience | None]:
    person = who.person()
    return person, None if person is None else hears(person, channel)


def _read(text: str) -> tuple[str, dict[str, Any]]:
    if len(text.encode(errors="replace")) > limits.MAX_FRAME:
        raise protocol.InvalidMessage(f"A message is at most {limits.MAX_FRAME} bytes.")
    return protocol.parse(text)


def _size(text: str) -> int:
    """Return the bytes that a frame takes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _identity(channel_data: str) -> tuple[Identity, str]:
    """Return who signed channel data speaks for, and that person's key."""
    try:
        data = json.loads(channel_data)
        user_id, sign_in = str(data["user_id"]), data.get("sign_in")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Refused("The channel data names no user_id.") from None
    if sign_in is None:
        return Identity(user_id=user_id), user_id
    return Identity(session_key=seal.open_("sign-in", str(sign_in)) or ""), user_id


def _protocol_version(scope: Mapping[str, Any]) -> int:
    """Return the protocol that the client asks for; who names none speaks ours."""
    query = dict(part.split("=", 1) for part in scope["query_string"].decode("latin-1").split("&") if "=" in part)
    version = query.get("protocol", "")
    return int(version) if version.isascii() and version.isdigit() and len(version) < 4 else protocol.NEWEST_PROTOCOL
