"""The WebSocket consumers: `PusherConsumer` speaks the Pusher protocol on /app/{key}."""

import logging
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from realtime import limits, metrics, protocol
from realtime.channels import authentication, find, is_channel_name
from realtime.channels.authorization import Authorization, authorize_channels
from realtime.conf import config
from realtime.presence.tracker import ChannelFull
from realtime.protocol import CloseReason, InvalidMessage, Message, close_codes
from realtime.protocol.signed_data import SubscriptionRefused
from realtime.server import cache_channels, client_events, connect_checks, last_events
from realtime.server.connection import Connection
from realtime.server.revalidation import Revalidation, log_failure
from realtime.server.sign_in import SignIn
from realtime.server.subscriptions import State, Subscription
from realtime.utils.limited_log import LimitedLog
from realtime.utils.rate_limits import TokenBucket
from realtime.websocket.transport import ASGITransport

refusals = LimitedLog(logging.getLogger(__name__))

FORBIDDEN = 403
Prepared = dict[str, tuple[int, Authorization | None]]  # by channel: the revision asked for, and the answer


class PusherConsumer(Connection, AsyncWebsocketConsumer):
    """A client's connection: authorizes its user for each private channel, by role, before joining the group.

    On any ASGI server Channels calls `connect` and `receive`; our own WebSocket server calls `open` and `handle`
    directly. An idle connection has no task and no timer.
    """

    channel_layer_alias = None  # type: ignore[assignment]  # the hub has the process's one channel of the layer
    groups = ()  # type: ignore[assignment]

    def __init__(self) -> None:
        AsyncWebsocketConsumer.__init__(self)
        Connection.__init__(self)
        self.sign_in = SignIn(self)
        self.revalidation = Revalidation(self)
        self.client_event_bucket: TokenBucket | None = None
        self._messages = TokenBucket(limits.MESSAGE_RATE, limits.MESSAGE_BURST)

    # -- Subscribe -> authorize by role -> join the group

    async def subscribe(self, message: Message, queued: list[str | None]) -> None:
        """Authorize the user for a channel, then join its group (Pusher protocol 7, "Subscription events").

        Subscriptions that wait in `queued` directly behind this one are taken along: one query authorizes all.
        """
        requests = [message.fields(), *self._take_subscriptions(queued)]
        prepared = await self._authorize_ahead(requests)
        for request in requests:
            if self.is_closing:
                return
            try:
                await self._subscribe(request, prepared)
            except InvalidMessage as error:
                self._reject(error)

    async def _subscribe(self, request: dict[str, Any], prepared: Prepared) -> None:
        channel: str = request.get("channel", "")
        if not is_channel_name(channel):
            raise InvalidMessage(f"channel must be a valid name of 1 to {limits.MAX_CHANNEL_NAME_LENGTH} characters.")
        subscription = self.subscriptions.setdefault(channel, Subscription(channel))
        try:
            if subscription.audience is None and sum(1 for _ in self.joined()) >= limits.MAX_SUBSCRIPTIONS:
                raise SubscriptionRefused(
                    f"A connection has at most {limits.MAX_SUBSCRIPTIONS} subscriptions.", by="limit"
                )
            await self.sign_in.accept_signature(subscription, request)
            if await self._authorize_and_join(subscription, prepared.pop(channel, None)) is None:
                raise SubscriptionRefused("You may not subscribe to this channel.", by="rule")
            await self.confirm(subscription)
        except SubscriptionRefused as refusal:
            metrics.refused_subscriptions.labels(refusal.by).inc()
            refusals.warning("subscription refused", channel=channel, user=self.sign_in.user_id, reason=refusal)
            self.write(protocol.subscription_error(channel, FORBIDDEN, str(refusal)))
        finally:
            if subscription.audience is None:
                self._remove(subscription)

    async def _authorize_and_join(
        self, subscription: Subscription, prepared: tuple[int, Authorization | None] | None
    ) -> Authorization | None:
        """Authorize and join; again if access was revoked meanwhile, so that no outdated answer joins a group."""
        while True:
            if prepared is not None:
                (revision, authorization), prepared = prepared, None
            else:
                revision = subscription.revision
                authorization = (await self.authorize([subscription]))[subscription.channel]
            if revision == subscription.revision:
                await self.apply(subscription, authorization)
                if revision == subscription.revision:
                    return authorization

    async def authorize(self, subscriptions: Iterable[Subscription]) -> dict[str, Authorization | None]:
        """Return the user's authorization for each channel, by their role in the database; None means refused."""
        cache, version = self.hub.session_cache, self.hub.session_cache.version
        credentials = self.sign_in.credentials
        cached = cache.get(credentials)
        signatures = {each.channel: each.signature for each in subscriptions if each.signature is not None}
        user, authorizations = await self.hub.queries.run(
            authorize_channels,
            credentials.load_user if cached is None else lambda: cached.user,
            [each.channel for each in subscriptions],
            signatures=signatures,
            signed_in_id=self.sign_in.signed_in_id,
        )
        self.sign_in.remember(user)
        by_rule = {channel: each for channel, each in authorizations.items() if channel not in signatures}
        cache.put_authorizations(version, credentials, by_rule)
        return authorizations

    async def apply(self, subscription: Subscription, authorization: Authorization | None) -> None:
        """Join the group of the authorized audience and leave any other; None leaves the channel."""
        channel, before = subscription.channel, subscription.audience
        if before is not None and (authorization is None or authorization.audience is not before):
            self.hub.leave(self, channel, before)
        if authorization is None:
            self._leave(subscription)
            return
        self.subscriptions[channel], subscription.has_ended = subscription, False
        subscription.audience, subscription.member = authorization.audience, authorization.member
        self.hub.presence.add(self, channel, authorization.member)
        await self.hub.join(self, channel, authorization.audience)

    async def confirm(self, subscription: Subscription) -> None:
        """Send subscription_succeeded, with the members of a presence channel and the event of a cache channel."""
        channel, found, members = subscription.channel, find(subscription.channel), None
        if found is not None and found.pattern.is_presence:
            try:
                members = await self.hub.presence.watch_members(self, channel)
            except ChannelFull as error:
                self.unsubscribe(channel)
                metrics.refused_subscriptions.labels("members").inc()
                self.write(protocol.subscription_error(channel, FORBIDDEN, str(error)))
        if self.subscriptions.get(channel) is not subscription or subscription.audience is None:
            return  # ended since, and the client was notified
        if subscription.state is State.REVALIDATING:
            subscription.must_confirm = True
            return
        subscription.must_confirm = False
        self.write(protocol.subscription_succeeded(channel, members))
        if found is not None and found.pattern.is_counted:
            await self.hub.presence.watch_count(self, channel)
        if found is not None and found.pattern.is_cached:
            await cache_channels.send_last_event(self, subscription)

    def unsubscribe(self, channel: str) -> None:
        """Leave a channel; nothing of the subscription is kept, its signature included."""
        subscription = self.subscriptions.get(channel)
        if subscription is not None and subscription.audience is not None:
            self.hub.leave(self, channel, subscription.audience)
            self._remove(subscription)

    def _remove(self, subscription: Subscription) -> None:
        subscription.has_ended = True
        self._leave(subscription)

    def _leave(self, subscription: Subscription) -> None:
        subscription.audience = subscription.signature = None
        if self.subscriptions.get(subscription.channel) is subscription:
            del self.subscriptions[subscription.channel]
            self.hub.presence.remove(self, subscription.channel)

    # -- Many subscriptions at once

    def _take_subscriptions(self, queued: list[str | None]) -> Iterator[dict[str, Any]]:
        while queued and (request := _parse_subscription(queued[0])) is not None and self._messages.consume():
            del queued[0]
            self.hub.received += 1
            yield request

    async def _authorize_ahead(self, requests: list[dict[str, Any]]) -> Prepared:
        """Authorize all unsigned requests with one query, and join their groups in the layer at once.

        Each answer comes with the revision of its subscription; a revocation in the meantime makes it outdated.
        """
        names = {
            each["channel"] for each in requests if not each.get("auth") and is_channel_name(each.get("channel"))
        }
        subscriptions = [self.subscriptions.setdefault(name, Subscription(name)) for name in names]
        revisions = {each.channel: each.revision for each in subscriptions}
        authorizations: dict[str, Authorization | None] = {}
        if (cached := self.hub.session_cache.get(self.sign_in.credentials)) is not None:
            authorizations |= {name: cached.authorizations[name] for name in names & cached.authorizations.keys()}
        if unknown := [each for each in subscriptions if each.channel not in authorizations]:
            authorizations |= await self.authorize(unknown)
        await self.hub.prepare({name: each.audience for name, each in authorizations.items() if each is not None})
        return {name: (revisions[name], each) for name, each in authorizations.items()}

    # -- Other messages of the client

    def handle(self, text: str | None, queued: list[str | None] | None = None) -> Coroutine[Any, Any, None] | None:
        """Handle one message, None for a binary one; return what is left to await, usually nothing.

        Subscriptions that wait in `queued` directly behind this message may be taken from the list.
        """
        if self.is_closing:
            return None
        self.hub.received += 1
        self.touch()
        if not self._messages.consume():
            self.fail(close_codes.TOO_MANY_MESSAGES)
            return None
        if text is None:
            self.fail(close_codes.BINARY_FRAME)
            return None
        try:
            rest = self._dispatch(_parse(text), [] if queued is None else queued)
        except InvalidMessage as error:
            self._reject(error)
            return None
        return None if rest is None else self._complete(rest)

    def _dispatch(self, message: Message, queued: list[str | None]) -> Coroutine[Any, Any, None] | None:
        match message.event:
            case "pusher:ping":
                self.write(protocol.frame("pusher:pong", data="{}"))
            case "pusher:pong":
                pass
            case "pusher:subscribe":
                return self.subscribe(message, queued)
            case "pusher:unsubscribe":
                self.unsubscribe(str(message.fields().get("channel")))
            case "pusher:signin":
                return self.sign_in.sign_in(message.fields())
            case protocol.MISSED:
                return last_events.answer_missed(self, message.fields())
            case event if event.startswith(protocol.CLIENT_EVENT):
                return client_events.forward(self, message)
            case _:
                raise InvalidMessage("The server does not know this event.")
        return None

    async def _complete(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
        except InvalidMessage as error:
            self._reject(error)
        except Exception as error:
            log_failure("message handling failed", error)
            self.fail(close_codes.SERVER_ERROR)
        self._discard_if_closed()

    def _reject(self, error: InvalidMessage) -> None:
        self.write(protocol.error(close_codes.INVALID_MESSAGE, f"Invalid message: {error}"))

    # -- Open

    async def open(self, scope: Mapping[str, Any]) -> None:
        """Greet the client of an accepted handshake, or close: a client can read a close code, but no HTTP error."""
        try:
            self.address = (scope.get("client") or [""])[0]
            reason = connect_checks.find_problem(scope) or await self._register(scope)
        except Exception as error:
            log_failure("connect failed", error)
            reason = close_codes.SERVER_ERROR
        if reason is not None:
            metrics.refused_connections.labels(reason.code).inc()
            if reason is close_codes.ORIGIN_NOT_ALLOWED:
                origin, host = (authentication.header(scope, name) for name in (b"origin", b"host"))
                refusals.warning("origin refused", origin=origin, host=host, address=self.address)
            self.fail(reason)
        else:
            self.touch()
            self.opened_at = self.received_at
            self.revalidation.postpone_check()
            self.write(protocol.connection_established(self.socket_id, config().activity_timeout))
        self._discard_if_closed()

    async def _register(self, scope: Mapping[str, Any]) -> CloseReason | None:
        await self.hub.add(self)
        return close_codes.DRAINING if self.hub.is_draining else await self.sign_in.load(scope)

    def _discard_if_closed(self) -> None:
        """Leave the groups that were joined while the connection was being closed."""
        if self.is_closing:
            self.hub.discard(self)

    # -- Called by the hub and by Channels

    def reauthorize(self, channels: set[str], *, whole_user: bool) -> None:
        """Authorize the user again for `channels`, subscribed or being subscribed; hold their frames until then."""
        affected = [self.subscriptions[name] for name in channels & self.subscriptions.keys()]
        self.revalidation.start(affected, whole_user=whole_user)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the connection on an ASGI server, and release everything however it ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.lost()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one ASGI event, without the thread hop that stock consumers make for each."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Accept the handshake, then greet or close."""
        await self.accept()
        self.attach(ASGITransport(self._send_text, self._close_asgi))
        await self.open(self.scope)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one message of the client."""
        rest = self.handle(text_data)
        if rest is not None:
            await rest

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _close_asgi(self, code: int) -> None:
        try:
            await self.close(code)
        except (OSError, RuntimeError):
            pass  # the client was quicker
        except Exception:
            await self.close()  # Daphne cannot send codes between 1000 and 3000


class WrongPathConsumer(AsyncWebsocketConsumer):
    """Any other WebSocket path: closed with 4005, after which clients do not reconnect."""

    channel_layer_alias = None  # type: ignore[assignment]

    async def connect(self) -> None:
        """Accept, send the reason, close."""
        reason = close_codes.PATH_NOT_FOUND
        await self.accept()
        await self.send(text_data=protocol.error(reason.code, reason.message))
        await self.close(reason.code)


def _parse(text: str) -> Message:
    if len(text.encode(errors="replace")) > limits.MAX_MESSAGE_SIZE:
        raise InvalidMessage(f"A message is at most {limits.MAX_MESSAGE_SIZE} bytes.")
    return protocol.parse(text)


def _parse_subscription(text: str | None) -> dict[str, Any] | None:
    """Return the fields of a well-formed subscription, None for any other message."""
    try:
        message = _parse(text) if text is not None else None
        return message.fields() if message is not None and message.event == "pusher:subscribe" else None
    except InvalidMessage:
        return None
