"""One socket: speaks the Pusher protocol, and asks a channel's rule before and while it is heard."""

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AbstractBaseUser

from realtime import census, credentials, handshake, hub, identity, limits, protocol, standing, webhooks, whispers
from realtime.census import SocketReport
from realtime.channels import NAME, Audience, Found, find, group_name
from realtime.conf import config
from realtime.credentials import Refused
from realtime.crowd import Crowd, shares
from realtime.identity import Identity
from realtime.presence import Full
from realtime.protocol import Member, Message
from realtime.standing import Signed, Standing
from realtime.writer import Writer, writer_for

logger = logging.getLogger(__name__)

FORBIDDEN = 403
SENT_AWAY = protocol.GENERIC_RECONNECT, "This server restarts; please reconnect."
ASK_AGAIN = 45  # seconds after which a socket's sign-in is asked for again, should its end have been told to nobody


class PusherConsumer(AsyncWebsocketConsumer):
    """A Pusher client's connection to /app/{key}."""

    # The hub has the process's one channel of the layer; a socket has none.
    channel_layer_alias = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.socket_id = protocol.new_socket_id()
        self.identity = Identity()
        self.user_id: str | None = None
        self.signed_in: str | None = None
        self.address = ""
        self.subscriptions: dict[str, Audience] = {}
        self.is_cut_off = False
        self._has_account = False
        self._watched: set[str] = set()
        self._signed: dict[str, Signed] = {}
        self._members: dict[str, Member | None] = {}
        self._asking: set[str] = set()
        self._rechecks: dict[str, int] = {}
        self._before: dict[str, Audience | None] = {}  # None: the audience changed while the rule was asked
        self._held: defaultdict[str, list[str]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._end: asyncio.TimerHandle | None = None
        self._allowance = limits.Allowance(limits.MESSAGES_A_SECOND, limits.MESSAGES_AT_ONCE)
        self._speech = limits.Allowance(limits.CLIENT_EVENTS_A_SECOND, limits.CLIENT_EVENTS_A_SECOND)
        self._began_at = time.time()
        self._opened_at = self._last_heard = self._asked_at = time.monotonic()
        self._pinged = False
        self._closing = False
        self.writer: Writer

    # -- Channels

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one ASGI event, without the thread hop that stock consumers make for each."""
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket; however it ends, nothing of it stays behind."""
        self.writer = writer_for(scope, self._send_text, self._give_up)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        """Accept, then say what is wrong: a client can read a close code, but no HTTP error."""
        await self.accept()
        try:
            problem = handshake.problem(self.scope) or await self._arrive()
        except Exception:
            logger.exception("A socket could not be greeted; the client is asked to come back.")
            problem = protocol.OVER_CAPACITY, "The server could not answer; please reconnect."
        if problem:
            await self.fail(*problem)
        else:
            self.write(protocol.connection_established(self.socket_id, config().activity_timeout))

    async def _arrive(self) -> tuple[int, str] | None:
        """Be one of this process's sockets; return close code and reason if there are too many of its kind."""
        self.address = (self.scope.get("client") or [""])[0]
        await hub.here().add(self)
        if hub.here().is_leaving:
            return SENT_AWAY
        self.identity = identity.of_handshake(self.scope)
        person, end, over = await database_sync_to_async(self._look_up)(hub.here().crowd)
        self._remember(person)
        self._expect_end(end)
        return _crowd(hub.here().crowd.count(self, shares(self.user_id, self.address)) or over)

    def _look_up(self, crowd: Crowd) -> tuple[AbstractBaseUser | None, datetime | None, str | None]:
        """Return who this is and until when, and of what other processes have too many already."""
        person, end = self.identity.person_and_end()
        return person, end, crowd.ask_others(shares(None if person is None else str(person.pk), self.address))

    async def _crowded(self) -> tuple[int, str] | None:
        """Be counted as the person whom this has just become; return code and reason if that is one too many."""
        counted = shares(self.user_id, self.address)
        new = {name: most for name, most in counted.items() if name.startswith("person:")}
        over = await database_sync_to_async(hub.here().crowd.ask_others)(new)
        return _crowd(hub.here().crowd.count(self, counted) or over)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one frame of the client; what is malformed is answered with pusher:error."""
        if self._closing:
            return
        hub.here().received += 1
        self._last_heard, self._pinged = time.monotonic(), False
        if self._allowance.is_spent():
            await self.fail(protocol.OVER_CAPACITY, "Too many messages.")
            return
        if text_data is None:
            await self.fail(protocol.UNSUPPORTED_DATA, "Binary frames are not supported.")
            return
        try:
            await self._handle(_read(text_data))
        except protocol.InvalidMessage as error:
            self.write(protocol.error(protocol.GENERIC_RECONNECT, f"Invalid message: {error}"))
        except Exception:
            logger.exception("A frame could not be handled; the client is asked to come back.")
            await self.fail(protocol.OVER_CAPACITY, "The server could not answer; please reconnect.")

    async def _handle(self, message: Message) -> None:
        if message.event == "pusher:ping":
            self.write(protocol.frame("pusher:pong", data="{}"))
        elif message.event == "pusher:subscribe":
            await self._subscribe(message.fields())
        elif message.event == "pusher:unsubscribe":
            self._unsubscribe(str(message.fields().get("channel")))
        elif message.event == "pusher:signin":
            await self._sign_in(message.fields())
        elif message.event.startswith(protocol.CLIENT_EVENT):
            await self._whisper(message)
        elif message.event != "pusher:pong":
            raise protocol.InvalidMessage("This server does not know an event of this name.")

    # -- Subscriptions

    async def _subscribe(self, fields: dict[str, Any]) -> None:
        channel = fields.get("channel")
        if not isinstance(channel, str) or not (NAME.fullmatch(channel) or _is_personal(channel)):
            raise protocol.InvalidMessage(
                f"A channel's name has 1 to {limits.MAX_CHANNEL_NAME} of the allowed characters."
            )
        try:
            await self._admit(channel, fields)
        except Refused as refusal:
            self.write(protocol.subscription_error(channel, FORBIDDEN, str(refusal)))
            return
        await self._welcome(channel)

    async def _admit(self, channel: str, fields: dict[str, Any]) -> None:
        if channel not in self.subscriptions and len(self.subscriptions) >= limits.MAX_SUBSCRIPTIONS:
            raise Refused(f"A connection has at most {limits.MAX_SUBSCRIPTIONS} subscriptions.")
        await self._take_signature(channel, fields)
        if await self._settle(channel) is None:
            self._before.pop(channel, None)  # it is told once, even if the rule is being asked again
            raise Refused("You may not hear this channel.")

    async def _settle(self, channel: str) -> Standing | None:
        """Ask the rule and join, until nothing was revoked meanwhile; return what this person is there."""
        while True:
            self._asking.add(channel)
            now = await self._ask(channel)
            if channel in self._asking:
                await self._move(channel, now)
            if channel in self._asking:
                self._asking.remove(channel)
                return now

    async def _take_signature(self, channel: str, fields: dict[str, Any]) -> None:
        """Check a signature, and learn from its data who this is, where nothing has told so far."""
        auth, channel_data = protocol.text_of(fields, "auth"), protocol.text_of(fields, "channel_data")
        if not auth:
            return
        auth, channel_data = protocol.carried(auth, channel_data)
        settings = config()
        signed = (settings.app_key, settings.app_secrets, self.socket_id, channel, channel_data)
        if not protocol.is_authentic(auth, *signed):
            raise Refused("The signature is not valid for this channel and connection.")
        data = credentials.of_channel(channel_data)
        signed_for = Signed(credentials.member(data))
        if self.user_id is None and data:
            if not await self._introduce(data, str(data["user_id"])):
                raise Refused("The signature is for somebody who is signed out or switched off.")
            if (crowd := await self._crowded()) is not None:
                await self.fail(*crowd)
                raise Refused(crowd[1])
        if data and not self._has_account and str(data["user_id"]) not in (self.user_id, self.signed_in):
            raise Refused("A connection is one person's for its life.")
        self._signed[channel] = signed_for

    async def _welcome(self, channel: str) -> None:
        """Answer that the subscription stands, with whoever is there and what was told last."""
        found = find(channel)
        members = None
        if found is not None and found.pattern.is_presence:
            try:
                members = await hub.here().presence.enter(self, channel)
            except Full as full:
                self._unsubscribe(channel)
                self.write(protocol.subscription_error(channel, FORBIDDEN, str(full)))
        if channel not in self.subscriptions:
            return  # it ended meanwhile, and that was told
        if channel in self._rechecks:
            self._before[channel] = None  # who is welcome is being asked again, and the answer tells
            return
        self.write(protocol.subscription_succeeded(channel, members))
        if found is not None and found.pattern.is_counted:
            await hub.here().presence.count(self, channel)
        if found is not None and found.pattern.is_cached:
            await self._tell_last(channel, self.subscriptions[channel])

    async def _tell_last(self, channel: str, audience: Audience) -> None:
        last = await database_sync_to_async(_recall)(channel, audience)
        if self.subscriptions.get(channel) is audience:
            self.hear_of(channel, last.frame if last is not None else protocol.cache_miss(channel))

    def _unsubscribe(self, channel: str) -> None:
        audience = self.subscriptions.pop(channel, None)
        if audience is not None:
            hub.here().leave(self, channel, audience)
            hub.here().presence.stand_up(self, channel)
            self._forget(channel)

    def _forget(self, channel: str) -> None:
        """Keep nothing of a channel that was left: whoever comes back without an identity brings a new signature."""
        kept: tuple[dict[str, Any], ...] = self._held, self._before, self._signed, self._members
        for each in kept:
            each.pop(channel, None)

    async def _move(self, channel: str, now: Standing | None) -> None:
        """Be in the group of the audience and in no other group of the channel, on one seat or none."""
        before = self.subscriptions.pop(channel, None)
        if before is not None and (now is None or before is not now.audience):
            hub.here().leave(self, channel, before)
        if now is None:
            hub.here().presence.stand_up(self, channel)
            self._signed.pop(channel, None)
            return
        self.subscriptions[channel] = now.audience
        self._members[channel] = now.member
        hub.here().presence.sit(self, channel, now.member)
        await hub.here().join(self, channel, now.audience)

    async def _ask(self, channel: str) -> Standing | None:
        """Ask the channel's rule for the person as the database has him now."""
        signed, signed_in = self._signed.get(channel), self.signed_in
        person, now = await database_sync_to_async(standing.ask)(
            self.identity, channel, signed=signed, signed_in=signed_in
        )
        self._remember(person)
        return now

    # -- Signing in

    async def _sign_in(self, fields: dict[str, Any]) -> None:
        """Learn who this is from signed user data (protocol, "User authentication")."""
        auth, user_data = protocol.text_of(fields, "auth"), protocol.text_of(fields, "user_data")
        settings = config()
        if not protocol.is_authentic_user(auth, settings.app_key, settings.app_secrets, self.socket_id, user_data):
            await self.fail(protocol.UNAUTHORIZED, "The signature is not valid for this connection.")
            return
        data = credentials.of_user(user_data)
        if not await self._become(data):
            await self.fail(protocol.UNAUTHORIZED, "You cannot be signed in on this connection.")
            return
        if (crowd := await self._crowded()) is not None:
            await self.fail(*crowd)
            return
        self.write(protocol.signin_success(user_data))
        await self._watch(data.get("watchlist"))

    async def _become(self, data: dict[str, Any]) -> bool:
        """Be the person of signed user data; a connection has one for its life."""
        user_id, known = data["id"], self.signed_in or self.user_id
        if known is None and not await self._introduce(data, user_id):
            return False
        if known not in (None, user_id):
            return False
        self.signed_in = user_id
        return True

    async def _introduce(self, data: dict[str, Any], user_id: str) -> bool:
        """Be whom signed data name, and hear as that person; False for one of this site who may not be here."""
        who = identity.of_signed_data(data, user_id)
        person, end = await database_sync_to_async(who.person_and_end)()
        if person is None and ("sign_in" in data or await database_sync_to_async(identity.has_account)(user_id)):
            return False
        self.identity, self.user_id = who, user_id
        self._remember(person)
        self._expect_end(end)
        if self.subscriptions:
            self.recheck(set(self.subscriptions), whole_person=False)
        return True

    async def _watch(self, watchlist: Any) -> None:
        if not isinstance(watchlist, list) or not watchlist:
            return
        people = {str(user_id) for user_id in watchlist if protocol.is_user_id(user_id)}
        if max(len(watchlist), len(self._watched | people)) > limits.MAX_WATCHLIST:
            reason = f"A watch-list has at most {limits.MAX_WATCHLIST} people."
            self.write(protocol.error(protocol.WATCHLIST_TOO_LONG, reason))
            return
        self._watched |= people
        self.write(protocol.watchlist_events(*await hub.here().presence.watch(self, people)))

    # -- Client events

    async def _whisper(self, message: Message) -> None:
        found = find(message.channel)
        problem = whispers.problem(found, message)
        if not problem and (message.channel not in self.subscriptions or message.channel in self._rechecks):
            problem = "Subscribe to the channel first."
        if not problem and self._speech.is_spent():
            problem = f"A connection sends at most {limits.CLIENT_EVENTS_A_SECOND} client events a second."
        if problem or found is None:
            self.write(protocol.error(protocol.CLIENT_EVENT_REJECTED, problem))
            return
        await hub.here().announce(await database_sync_to_async(self._words)(found, message))

    def _words(self, found: Found, message: Message) -> list[dict[str, Any]]:
        member = self._members.get(message.channel) if found.pattern.is_presence else None
        webhooks.enqueue([whispers.webhook_event(message, self.socket_id, member)])
        return whispers.spoken(self.identity, found, message, member=member, socket_id=self.socket_id)

    # -- What the hub asks

    def hear(self, group: str, frame: str) -> None:
        """Write a frame of a group, or hold it while the rule of its channel is asked again."""
        for channel in self._rechecks:
            if group in (group_name(channel, Audience.PUBLIC), group_name(channel, Audience.STAFF)):
                self._hold(channel, frame)
                return
        self.write(frame)

    def hear_of(self, channel: str, frame: str) -> None:
        """Write a frame about who is on a channel, or hold it while the channel's rule is asked again."""
        if channel in self._rechecks:
            self._hold(channel, frame)
        else:
            self.write(frame)

    def _hold(self, channel: str, frame: str) -> None:
        self._held[channel].append(frame)
        if len(self._held[channel]) > limits.MAX_HELD:
            self._spawn(self.fail(protocol.GENERIC_RECONNECT, "A rule does not answer; please reconnect."))

    def hang_up(self, reason: str) -> None:
        """Close with a code that says not to come back."""
        self._spawn(self.fail(protocol.UNAUTHORIZED, reason))

    def send_away(self) -> None:
        """Close with a code that says to come back at once: another process is there."""
        self._spawn(self.fail(*SENT_AWAY))

    def report(self, process: str) -> SocketReport:
        """Return whose this is, and what it hears."""
        channels = sorted(self.subscriptions)
        return SocketReport(process, self.socket_id, self.user_id, self.address, self._began_at, channels)

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
            self._ask_again()
        silence = now - self._last_heard
        settings = config()
        if silence > settings.activity_timeout + settings.pong_timeout and self._pinged:
            self._spawn(self.fail(protocol.PONG_NOT_RECEIVED, "No answer to a ping."))
        elif silence > settings.activity_timeout and not self._pinged:
            self._pinged = True
            self.write(protocol.frame("pusher:ping", data="{}"))
        self._expect_somebody(now)

    def _ask_again(self) -> None:
        """Ask whether the sign-in still stands."""
        self._asked_at = time.monotonic()
        self._spawn(self._recheck(set(), whole_person=False))

    def _expect_somebody(self, now: float) -> None:
        """Close a socket that is nobody's and hears nothing: such are opened to use up connections."""
        patience = config().authenticate_within
        is_nobodys = self.user_id is None and not self.subscriptions
        if patience and is_nobodys and now - self._opened_at > patience:
            self._spawn(self.fail(protocol.UNAUTHORIZED, f"Subscribe or sign in within {patience:.0f} seconds."))

    async def _recheck(self, channels: set[str], whole_person: bool) -> None:
        try:
            if self._has_account and await self._person() is None:
                await self.fail(protocol.UNAUTHORIZED, "You are signed out.")
                return
            if whole_person and self.identity.user_id is not None:
                # A signature does not say whether the sign-in that got it has ended: a new one will.
                await self.fail(protocol.GENERIC_RECONNECT, "Please authorise anew.")
                return
            for channel in channels:
                await self._recheck_one(channel)
        except Exception:
            logger.exception("A rule could not be asked again; the client is asked to come back.")
            await self.fail(protocol.GENERIC_RECONNECT, "Please reconnect.")

    async def _recheck_one(self, channel: str) -> None:
        now = await self._ask(channel)
        if channel in self.subscriptions:
            if now is None or now.audience is not self.subscriptions[channel]:
                self._before[channel] = None
            await self._move(channel, now)
        self._rechecks[channel] -= 1
        if not self._rechecks[channel]:
            del self._rechecks[channel]
            if channel in self._before:  # else the client has left it meanwhile
                await self._release(channel, self._before.pop(channel))

    async def _release(self, channel: str, before: Audience | None) -> None:
        """Tell what was held; a client whose audience changed is admitted anew, and asks the history instead."""
        held, audience = self._held.pop(channel, []), self.subscriptions.get(channel)
        if audience is None:
            self.write(protocol.subscription_error(channel, FORBIDDEN, "Your access has ended."))
        elif audience is not before:
            await self._welcome(channel)
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
        self.is_cut_off = code == protocol.UNAUTHORIZED
        hub.here().discard(self)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.writer.flushed(), limits.CLOSE_TIMEOUT)
        await self._hang_up(code)

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _give_up(self) -> None:
        self._leave()
        await self._hang_up(protocol.OVER_CAPACITY)

    async def _hang_up(self, code: int) -> None:
        try:
            await self.close(code)
        except (OSError, RuntimeError):
            pass  # the other side was quicker
        except Exception:
            await self.close()  # Daphne sends no code between 1000 and 3000

    def _leave(self) -> None:
        self._closing = True
        hub.here().discard(self)
        for task in self._tasks:
            task.cancel()
        self._expect_end(None)

    # -- Who

    async def _person(self) -> AbstractBaseUser | None:
        person, end = await database_sync_to_async(self.identity.person_and_end)()
        self._expect_end(end)
        return person

    def _expect_end(self, end: datetime | None) -> None:
        """Ask again at the moment when the sign-in ends by itself, unless it is put off meanwhile."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if end is not None and not self._closing:
            seconds = (end - datetime.now(UTC)).total_seconds()
            self._end = asyncio.get_running_loop().call_later(seconds, self._ask_again)

    def _remember(self, person: AbstractBaseUser | None) -> None:
        if person is not None:
            self.user_id, self._has_account = str(person.pk), True

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


def _crowd(over: str | None) -> tuple[int, str] | None:
    """Return close code and reason where there are too many of something."""
    if over is None:
        return None
    kind = "of one person" if over.startswith("person:") else "from one address"
    return protocol.OVER_CAPACITY, f"Too many connections {kind}."


def _read(text: str) -> Message:
    if len(text.encode(errors="replace")) > limits.MAX_FRAME:
        raise protocol.InvalidMessage(f"A message is at most {limits.MAX_FRAME} bytes.")
    return protocol.parse(text)


def _is_personal(channel: str) -> bool:
    """Say whether a name is that of the channel by which servers reach one person."""
    return channel.startswith(protocol.SERVER_TO_USER) and len(channel) <= limits.MAX_CHANNEL_NAME


def _recall(channel: str, audience: Audience) -> census.CachedEvent | None:
    with suppress(census.Unavailable):
        last = census.cached(channel, audience)
        if last is None:
            webhooks.enqueue([{"name": "cache_miss", "channel": channel}])
        return last
    return None
