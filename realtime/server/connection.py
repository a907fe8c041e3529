"""One socket: speaks the Pusher protocol, and asks a channel's rule before and while it is heard."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from realtime import limits, protocol
from realtime.broadcasting import cached_events, cursors
from realtime.broadcasting.channel_layer import group_name
from realtime.broadcasting.messages import Ephemeral
from realtime.channels import NAME, Audience, Found, authentication, authorization, find
from realtime.channels.authentication import Credentials
from realtime.channels.authorization import Authorization, Signed
from realtime.conf import config
from realtime.presence.store import SocketReport
from realtime.presence.tracker import Full
from realtime.protocol import Member, Message, signed_data
from realtime.protocol.signed_data import Refused
from realtime.server import client_events, connect_checks, hub
from realtime.server.connection_limits import ConnectionLimits, limit_keys
from realtime.server.query_batcher import DatabaseUnavailable
from realtime.server.session_cache import CachedSession
from realtime.utils.circuit_breaker import ServiceUnavailable
from realtime.utils.rate_limits import TokenBucket
from realtime.webhooks import delivery
from realtime.websocket.frames import Frames
from realtime.websocket.writers import Writer

logger = logging.getLogger(__name__)

FORBIDDEN = 403
SENT_AWAY = protocol.GENERIC_RECONNECT, "This server restarts; please reconnect."
ASK_AGAIN = 45  # seconds after which a socket's sign-in is asked for again, should its end have been told to nobody


class Connection:
    """A Pusher client's connection to /app/{key}, however its frames come and go.

    Nothing of it waits while nothing is said: no task, no timer. Thousands of them are idle in a process.
    """

    __slots__ = (
        "_allowance", "_asked_at", "_asking", "_before", "_began_at", "_closing", "_end", "_ends_at", "_has_account",
        "_held", "_hub", "_last_heard", "_members", "_opened_at", "_pinged", "_rechecks", "_signed",
        "_speech", "_tasks", "_watched", "_writer", "address", "direct", "identity", "is_cut_off", "signed_in",
        "socket_id", "subscriptions", "user_id",
    )  # fmt: skip

    def __init__(self, writer: Writer) -> None:
        self.socket_id = protocol.new_socket_id()
        self.identity = Credentials()
        self.user_id: str | None = None
        self.signed_in: str | None = None
        self.address = ""
        self.subscriptions: dict[str, Audience] = {}
        self.is_cut_off = False
        self._hub, self._writer, self.direct = hub.here(), writer, writer.direct
        self._has_account = False
        self._watched: frozenset[str] = frozenset()
        self._signed: dict[str, Signed] = {}
        self._members: dict[str, Member] = {}
        self._asking: frozenset[str] = frozenset()
        self._rechecks: dict[str, int] = {}
        self._before: dict[str, Audience | None] = {}  # None: the audience changed while the rule was asked
        self._held: dict[str, list[Frames]] = {}
        self._tasks: frozenset[asyncio.Task[None]] = frozenset()
        self._ends_at: float | None = None  # when the sign-in ends, on the monotonic clock
        self._end: asyncio.TimerHandle | None = None
        self._allowance = TokenBucket(limits.MESSAGE_RATE, limits.MESSAGE_BURST)
        self._speech: TokenBucket | None = None
        self._began_at = time.time()
        self._last_heard = self._asked_at = time.monotonic()
        self._opened_at = float("inf")  # until it was greeted
        self._pinged = False
        self._closing = False

    # -- Coming and going

    async def greet(self, scope: Mapping[str, Any]) -> None:
        """Welcome whom a handshake brings, or close: a client can read a close code, but no HTTP error."""
        try:
            problem = connect_checks.problem(scope) or await self._arrive(scope)
        except Exception as error:
            _log("A socket could not be greeted; the client is asked to come back.", error)
            problem = protocol.OVER_CAPACITY, "The server could not answer; please reconnect."
        if problem:
            self.fail(*problem)
        else:
            self.is_heard()
            self._opened_at = self._asked_at = self._last_heard
            self.write(protocol.connection_established(self.socket_id, config().activity_timeout))
        self._stay_away()

    async def _arrive(self, scope: Mapping[str, Any]) -> tuple[int, str] | None:
        """Be one of this process's sockets; return close code and reason if there are too many of its kind."""
        self.address = (scope.get("client") or [""])[0]
        await self._hub.add(self)
        if self._hub.is_leaving:
            return SENT_AWAY
        self.identity = authentication.of_handshake(scope)
        person, end, over = await self._look_up()
        self._remember(person)
        self._expect_end(end)
        return _crowd(self._hub.crowd.count(self, limit_keys(self.user_id, self.address)) or over)

    async def _look_up(self) -> tuple[AbstractBaseUser | None, datetime | None, str | None]:
        """Return who this is and until when, and of what other processes have too many already."""
        memory, version = self._hub.memory, self._hub.memory.version
        known = memory.recall(self.identity)
        person, end, over = await self._hub.lookups.ask_last(self._read, known, self._hub.crowd)
        if known is None:
            memory.keep(version, self.identity, person, end)
        return person, end, over

    def _read(
        self, known: CachedSession | None, crowd: ConnectionLimits
    ) -> tuple[AbstractBaseUser | None, datetime | None, str | None]:
        person, end = self.identity.person_and_end() if known is None else (known.person, known.end)
        return person, end, crowd.ask_others(limit_keys(None if person is None else str(person.pk), self.address))

    async def _crowded(self) -> tuple[int, str] | None:
        """Be counted as the person whom this has just become; return code and reason if that is one too many."""
        counted = limit_keys(self.user_id, self.address)
        new = {name: most for name, most in counted.items() if name.startswith("person:")}
        over = await self._hub.lookups.ask(self._hub.crowd.ask_others, new)
        return _crowd(self._hub.crowd.count(self, counted) or over)

    def leave(self) -> None:
        """Keep nothing of it: the client is gone."""
        self.fall_silent()
        self._hub.discard(self)
        for task in self._tasks:
            task.cancel()
        self._expect_end(None)

    def fall_silent(self) -> None:
        """Write nothing more."""
        self._closing, self.direct = True, None

    # -- What the client says

    def is_heard(self) -> None:
        """Note that the client has said something, be it handled now or after what is being asked for it."""
        self._last_heard, self._pinged = time.monotonic(), False

    def handle(self, text: str | None, behind: list[str | None] | None = None) -> Coroutine[Any, Any, None] | None:
        """Handle one message, None for a binary one; return what is left to be awaited, mostly nothing.

        What is malformed is answered with pusher:error. Subscriptions among the messages that wait `behind` it are
        handled with one, and taken from the list.
        """
        if self._closing:
            return None
        self._hub.received += 1
        self.is_heard()
        if not self._allowance.consume():
            self.fail(protocol.OVER_CAPACITY, "Too many messages.")
            return None
        if text is None:
            self.fail(protocol.UNSUPPORTED_DATA, "Binary frames are not supported.")
            return None
        try:
            rest = self._begin(_read(text), [] if behind is None else behind)
        except protocol.InvalidMessage as error:
            self._reject(error)
            return None
        return None if rest is None else self._complete(rest)

    def _begin(self, message: Message, behind: list[str | None]) -> Coroutine[Any, Any, None] | None:
        if message.event == "pusher:ping":
            self.write(protocol.frame("pusher:pong", data="{}"))
        elif message.event == "pusher:subscribe":
            return self._subscribe_all(message, behind)
        elif message.event == "pusher:unsubscribe":
            self._unsubscribe(str(message.fields().get("channel")))
        elif message.event == "pusher:signin":
            return self._sign_in(message.fields())
        elif message.event == protocol.MISSED:
            return self._say_what_was_missed(message.fields())
        elif message.event.startswith(protocol.CLIENT_EVENT):
            return self._whisper(message)
        elif message.event != "pusher:pong":
            raise protocol.InvalidMessage("This server does not know an event of this name.")
        return None

    async def _complete(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
        except protocol.InvalidMessage as error:
            self._reject(error)
        except Exception as error:
            _log("A frame could not be handled; the client is asked to come back.", error)
            self.fail(protocol.OVER_CAPACITY, "The server could not answer; please reconnect.")
        self._stay_away()

    def _stay_away(self) -> None:
        """Take no place again that was left when it was closed meanwhile."""
        if self._closing:
            self._hub.discard(self)

    def _reject(self, error: protocol.InvalidMessage) -> None:
        self.write(protocol.error(protocol.GENERIC_RECONNECT, f"Invalid message: {error}"))

    # -- Subscriptions

    async def _subscribe_all(self, first: Message, behind: list[str | None]) -> None:
        """Answer subscriptions in their order; the rules of all of them are asked in one go."""
        asked = [first.fields(), *self._take_subscriptions(behind)]
        answers = await self._ask_ahead({each["channel"] for each in asked if _is_unsigned(each)})
        for fields in asked:
            if self._closing:
                return
            try:
                await self._subscribe(fields, answers)
            except protocol.InvalidMessage as error:
                self._reject(error)
        self._asking -= answers.keys()  # of those who were refused for another reason

    def _take_subscriptions(self, behind: list[str | None]) -> Iterator[dict[str, Any]]:
        while behind and (fields := _subscription(behind[0])) is not None and self._allowance.consume():
            del behind[0]
            self._hub.received += 1
            yield fields

    async def _ask_ahead(self, channels: set[str]) -> dict[str, Authorization | None]:
        """Return what the rules say; an answer holds as long as its channel stays among those that are asked for."""
        self._asking |= channels
        known = self._hub.memory.recall(self.identity)
        answers: dict[str, Authorization | None] = {}
        if known is not None:
            answers |= {channel: known.standings[channel] for channel in channels & known.standings.keys()}
        if unknown := channels - answers.keys():
            answers |= await self._ask(unknown)
        valid = {channel: now for channel, now in answers.items() if channel in self._asking}
        await self._hub.prepare({channel: now.audience for channel, now in valid.items() if now is not None})
        return valid

    async def _subscribe(self, fields: dict[str, Any], answers: dict[str, Authorization | None]) -> None:
        if not _is_channel(fields):
            raise protocol.InvalidMessage(
                f"A channel's name has 1 to {limits.MAX_CHANNEL_NAME_LENGTH} of the allowed characters."
            )
        channel: str = fields["channel"]
        try:
            await self._admit(channel, fields, answers)
        except Refused as refusal:
            self.write(protocol.subscription_error(channel, FORBIDDEN, str(refusal)))
            return
        await self._welcome(channel)

    async def _admit(self, channel: str, fields: dict[str, Any], answers: dict[str, Authorization | None]) -> None:
        if channel not in self.subscriptions and len(self.subscriptions) >= limits.MAX_SUBSCRIPTIONS:
            raise Refused(f"A connection has at most {limits.MAX_SUBSCRIPTIONS} subscriptions.")
        await self._take_signature(channel, fields)
        if await self._settle(channel, answers) is None:
            self._before.pop(channel, None)  # it is told once, even if the rule is being asked again
            raise Refused("You may not hear this channel.")

    async def _settle(self, channel: str, answers: dict[str, Authorization | None]) -> Authorization | None:
        """Ask the rule and join, until nothing was revoked meanwhile; return what this person is there."""
        while True:
            if channel in answers:
                now = answers.pop(channel)
            else:
                self._asking |= {channel}
                now = (await self._ask({channel}))[channel]
            if channel in self._asking:
                await self._move(channel, now)
            if channel in self._asking:
                self._asking -= {channel}
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
        data = signed_data.of_channel(channel_data)
        signed_for = Signed(signed_data.member(data))
        if self.user_id is None and data:
            if not await self._introduce(data, str(data["user_id"])):
                raise Refused("The signature is for somebody who is signed out or switched off.")
            if (crowd := await self._crowded()) is not None:
                self.fail(*crowd)
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
                members = await self._hub.presence.enter(self, channel)
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
            await self._hub.presence.count(self, channel)
        if found is not None and found.pattern.is_cached:
            await self._tell_last(channel, self.subscriptions[channel])

    async def _tell_last(self, channel: str, audience: Audience) -> None:
        last = await self._hub.lookups.ask(_recall, channel, audience)
        if self.subscriptions.get(channel) is audience:
            self.hear_of(channel, Frames(last.frame if last is not None else protocol.cache_miss(channel)))

    def _unsubscribe(self, channel: str) -> None:
        audience = self.subscriptions.pop(channel, None)
        if audience is not None:
            self._hub.leave(self, channel, audience)
            self._hub.presence.stand_up(self, channel)
            self._forget(channel)

    def _forget(self, channel: str) -> None:
        """Keep nothing of a channel that was left: whoever comes back without an identity brings a new signature."""
        kept: tuple[dict[str, Any], ...] = self._held, self._before, self._signed, self._members
        for each in kept:
            each.pop(channel, None)

    async def _move(self, channel: str, now: Authorization | None) -> None:
        """Be in the group of the audience and in no other group of the channel, on one seat or none."""
        before = self.subscriptions.pop(channel, None)
        if before is not None and (now is None or before is not now.audience):
            self._hub.leave(self, channel, before)
        if now is None:
            self._hub.presence.stand_up(self, channel)
            self._signed.pop(channel, None)
            return
        self.subscriptions[channel] = now.audience
        if now.member is not None:
            self._members[channel] = now.member
        else:
            self._members.pop(channel, None)
        self._hub.presence.sit(self, channel, now.member)
        await self._hub.join(self, channel, now.audience)

    async def _ask(self, channels: set[str]) -> dict[str, Authorization | None]:
        """Ask channels' rules for the person as the database has him now, or had him just now."""
        memory, version = self._hub.memory, self._hub.memory.version
        known = memory.recall(self.identity)
        signed = {channel: self._signed[channel] for channel in channels & self._signed.keys()}
        person, answers = await self._hub.lookups.ask(
            authorization.authorize_channels,
            self.identity.person if known is None else lambda: known.person,
            channels,
            signed=signed,
            signed_in=self.signed_in,
        )
        self._remember(person)
        memory.keep_standings(version, self.identity, {each: answers[each] for each in channels - signed.keys()})
        return answers

    # -- What was missed

    async def _say_what_was_missed(self, fields: dict[str, Any]) -> None:
        """Answer from memory where nothing was told since a cursor on channels that are heard here; else with null.

        From the answer on, what comes is told. Null says to ask the history.
        """
        question, since = protocol.text_of(fields, "id"), protocol.text_of(fields, "since")
        channels = fields.get("channels")
        if not isinstance(channels, list) or not all(isinstance(each, str) for each in channels):
            raise protocol.InvalidMessage("channels is a list of names.")
        self.write(protocol.missed(question, await self._go_on_from(cursors.decode_cursor(since), channels)))

    async def _go_on_from(self, position: int | None, channels: list[str]) -> str | None:
        reached = None if position is None else await self._hub.tail.reach(position)
        if position is None or reached is None or not self._missed_nothing(channels, position):
            return None
        return cursors.encode_cursor(reached)

    def _missed_nothing(self, channels: list[str], position: int) -> bool:
        if not self.subscriptions.keys() - self._rechecks.keys() >= set(channels):
            return False
        groups = [group_name(channel, self.subscriptions[channel]) for channel in channels]
        return self._hub.recent.is_silent(groups, since=position)

    # -- Signing in

    async def _sign_in(self, fields: dict[str, Any]) -> None:
        """Learn who this is from signed user data (protocol, "User authentication")."""
        auth, user_data = protocol.text_of(fields, "auth"), protocol.text_of(fields, "user_data")
        settings = config()
        if not protocol.is_authentic_user(auth, settings.app_key, settings.app_secrets, self.socket_id, user_data):
            self.fail(protocol.UNAUTHORIZED, "The signature is not valid for this connection.")
            return
        data = signed_data.of_user(user_data)
        if not await self._become(data):
            self.fail(protocol.UNAUTHORIZED, "You cannot be signed in on this connection.")
            return
        if (crowd := await self._crowded()) is not None:
            self.fail(*crowd)
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
        who = authentication.of_signed_data(data, user_id)
        person, end = await self._hub.lookups.ask(who.person_and_end)
        if person is None and ("sign_in" in data or await self._hub.lookups.ask(authentication.has_account, user_id)):
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
        if max(len(watchlist), len(self._watched | people)) > limits.MAX_WATCHLIST_USERS:
            reason = f"A watch-list has at most {limits.MAX_WATCHLIST_USERS} people."
            self.write(protocol.error(protocol.WATCHLIST_TOO_LONG, reason))
            return
        self._watched |= people
        self.write(protocol.watchlist_events(*await self._hub.presence.watch(self, people)))

    # -- Client events

    async def _whisper(self, message: Message) -> None:
        found = find(message.channel)
        problem = client_events.problem(found, message)
        if not problem and (message.channel not in self.subscriptions or message.channel in self._rechecks):
            problem = "Subscribe to the channel first."
        if not problem and self._speaks_too_much():
            problem = f"A connection sends at most {limits.CLIENT_EVENT_RATE} client events a second."
        if problem or found is None:
            self.write(protocol.error(protocol.CLIENT_EVENT_REJECTED, problem))
            return
        await self._hub.announce(await self._hub.lookups.ask(self._words, found, message))

    def _speaks_too_much(self) -> bool:
        if self._speech is None:
            self._speech = TokenBucket(limits.CLIENT_EVENT_RATE, limits.CLIENT_EVENT_RATE)
        return not self._speech.consume()

    def _words(self, found: Found, message: Message) -> list[Ephemeral]:
        member = self._members.get(message.channel) if found.pattern.is_presence else None
        delivery.enqueue([client_events.webhook_event(message, self.socket_id, member)])
        return client_events.spoken(self.identity, found, message, member=member, socket_id=self.socket_id)

    # -- What the hub asks

    def hear(self, group: str, frames: Frames) -> None:
        """Write frames of a group, or hold them while the rule of its channel is asked again."""
        if self._rechecks and self._is_held(group, frames):
            return
        if not (self._closing or self._writer.write(frames)):
            self.give_up()

    def _is_held(self, group: str, frames: Frames) -> bool:
        for channel in self._rechecks:
            if group in (group_name(channel, Audience.PUBLIC), group_name(channel, Audience.STAFF)):
                self._hold(channel, frames)
                return True
        return False

    def hear_of(self, channel: str, frames: Frames) -> None:
        """Write frames about who is on a channel, or hold them while the channel's rule is asked again."""
        if channel in self._rechecks:
            self._hold(channel, frames)
        else:
            self._put(frames)

    def _hold(self, channel: str, frames: Frames) -> None:
        held = self._held.setdefault(channel, [])
        held.append(frames)
        if sum(len(each.texts) for each in held) > limits.MAX_PENDING_FRAMES:
            self.fail(protocol.GENERIC_RECONNECT, "A rule does not answer; please reconnect.")

    def hang_up(self, reason: str) -> None:
        """Close with a code that says not to come back."""
        self.fail(protocol.UNAUTHORIZED, reason)

    def send_away(self) -> None:
        """Close with a code that says to come back at once: another process is there."""
        self.fail(*SENT_AWAY)

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
        if subscribed:
            self.direct = None
        self._spawn(self._recheck(subscribed, whole_person))

    def sweep(self, now: float) -> None:
        """Ping after `activity_timeout` seconds of silence, close 4201 after `pong_timeout` more."""
        if now - self._asked_at > ASK_AGAIN and self._opened_at < now:
            self._ask_again(at_leisure=True)
        self._look_at_end(now)
        silence = now - self._last_heard
        settings = config()
        if silence > settings.activity_timeout + settings.pong_timeout and self._pinged:
            self.fail(protocol.PONG_NOT_RECEIVED, "No answer to a ping.")
        elif silence > settings.activity_timeout and not self._pinged:
            self._pinged = True
            self.write(protocol.frame("pusher:ping", data="{}"))
        self._expect_somebody(now)

    def _ask_again(self, *, at_leisure: bool = False) -> None:
        """Ask whether the sign-in still stands."""
        self._asked_at = time.monotonic()
        self._spawn(self._recheck(set(), whole_person=False, at_leisure=at_leisure))

    def _expect_somebody(self, now: float) -> None:
        """Close a socket that is nobody's and hears nothing: such are opened to use up connections."""
        patience = config().authentication_timeout
        is_nobodys = self.user_id is None and not self.channels()
        if patience and is_nobodys and now - self._opened_at > patience:
            self.fail(protocol.UNAUTHORIZED, f"Subscribe or sign in within {patience:.0f} seconds.")

    async def _recheck(self, channels: set[str], whole_person: bool, *, at_leisure: bool = False) -> None:
        try:
            if self._has_account and await self._person(at_leisure) is None:
                self.fail(protocol.UNAUTHORIZED, "You are signed out.")
                return
            if whole_person and self.identity.user_id is not None:
                # A signature does not say whether the sign-in that got it has ended: a new one will.
                self.fail(protocol.GENERIC_RECONNECT, "Please authorise anew.")
                return
            for channel, now in (await self._ask(channels)).items() if channels else ():
                await self._recheck_one(channel, now)
        except Exception as error:
            _log("A rule could not be asked again; the client is asked to come back.", error)
            self.fail(protocol.GENERIC_RECONNECT, "Please reconnect.")

    async def _recheck_one(self, channel: str, now: Authorization | None) -> None:
        if channel in self.subscriptions:
            if now is None or now.audience is not self.subscriptions[channel]:
                self._before[channel] = None
            await self._move(channel, now)
        self._rechecks[channel] -= 1
        if not self._rechecks[channel]:
            del self._rechecks[channel]
            if channel in self._before:  # else the client has left it meanwhile
                await self._release(channel, self._before.pop(channel))
        if not (self._rechecks or self._closing):
            self.direct = self._writer.direct

    async def _release(self, channel: str, before: Audience | None) -> None:
        """Tell what was held; a client whose audience changed is admitted anew, and asks the history instead."""
        held, audience = self._held.pop(channel, []), self.subscriptions.get(channel)
        if audience is None:
            self.write(protocol.subscription_error(channel, FORBIDDEN, "Your access has ended."))
        elif audience is not before:
            await self._welcome(channel)
        else:
            for frames in held:
                self._put(frames)

    # -- Writing

    def write(self, text: str) -> None:
        """Send one frame, without waiting for a slow reader."""
        self._put(Frames(text))

    def _put(self, frames: Frames) -> None:
        """Send frames behind what its groups were told before."""
        self._hub.flush()
        if not (self._closing or self._writer.write(frames)):
            self.give_up()

    def fail(self, code: int, message: str) -> None:
        """Say why, and close with `code`: pusher-js reads its retry policy from it."""
        if not self._closing:
            self.write(protocol.error(code, message))
            self._close(code)

    def give_up(self) -> None:
        """Close without another word: the client does not read what is written."""
        if not self._closing:
            self._close(protocol.OVER_CAPACITY)

    def _close(self, code: int) -> None:
        self.fall_silent()
        self.is_cut_off = code == protocol.UNAUTHORIZED
        self._hub.discard(self)
        self._writer.close(code)

    # -- Who

    async def _person(self, at_leisure: bool) -> AbstractBaseUser | None:
        memory, version = self._hub.memory, self._hub.memory.version
        ask = self._hub.lookups.ask_last if at_leisure else self._hub.lookups.ask
        person, end = await ask(self.identity.person_and_end)
        if person is None or self._rechecks:  # then rules are asked next
            memory.keep(version, self.identity, person, end)
        self._expect_end(end)
        return person

    def _expect_end(self, end: datetime | None) -> None:
        """Ask again at the moment when the sign-in ends by itself, unless it is put off meanwhile."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        now = time.monotonic()
        self._ends_at = None if end is None else now + (end - datetime.now(UTC)).total_seconds()
        if not self._closing:
            self._look_at_end(now)

    def _look_at_end(self, now: float) -> None:
        """Set a timer if the sign-in ends before the hub looks next."""
        if self._ends_at is not None and self._end is None and self._ends_at - now < 2 * hub.SWEEP_INTERVAL:
            self._end = self._hub.loop.call_later(self._ends_at - now, self._ask_again)

    def _remember(self, person: AbstractBaseUser | None) -> None:
        if person is not None:
            self.user_id, self._has_account = str(person.pk), True

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks |= {task}
        task.add_done_callback(self._forget_task)

    def _forget_task(self, task: asyncio.Task[None]) -> None:
        self._tasks -= {task}


def _log(sentence: str, error: Exception) -> None:
    """Say what went wrong; that the database is away is said once for all."""
    if not isinstance(error, DatabaseUnavailable):
        logger.error(sentence, exc_info=error)


def _crowd(over: str | None) -> tuple[int, str] | None:
    """Return close code and reason where there are too many of something."""
    if over is None:
        return None
    kind = "of one person" if over.startswith("person:") else "from one address"
    return protocol.OVER_CAPACITY, f"Too many connections {kind}."


def _read(text: str) -> Message:
    if len(text.encode(errors="replace")) > limits.MAX_MESSAGE_SIZE:
        raise protocol.InvalidMessage(f"A message is at most {limits.MAX_MESSAGE_SIZE} bytes.")
    return protocol.parse(text)


def _subscription(text: str | None) -> dict[str, Any] | None:
    """Return the fields of a well-formed subscription, None for any other message."""
    try:
        message = _read(text) if text is not None else None
        return message.fields() if message is not None and message.event == "pusher:subscribe" else None
    except protocol.InvalidMessage:
        return None


def _is_channel(fields: dict[str, Any]) -> bool:
    """Say whether a subscription names what can be a channel."""
    channel = fields.get("channel")
    return isinstance(channel, str) and (NAME.fullmatch(channel) is not None or _is_personal(channel))


def _is_unsigned(fields: dict[str, Any]) -> bool:
    return not fields.get("auth") and _is_channel(fields)


def _is_personal(channel: str) -> bool:
    """Say whether a name is that of the channel by which servers reach one person."""
    return channel.startswith(protocol.SERVER_TO_USER) and len(channel) <= limits.MAX_CHANNEL_NAME_LENGTH


def _recall(channel: str, audience: Audience) -> cached_events.CachedEvent | None:
    with suppress(ServiceUnavailable):
        last = cached_events.get(channel, audience)
        if last is None:
            delivery.enqueue([{"name": "cache_miss", "channel": channel}])
        return last
    return None
