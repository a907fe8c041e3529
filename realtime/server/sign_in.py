"""The user of a connection: from its handshake, from a signature, or from pusher:signin."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser

from realtime import limits, protocol
from realtime.channels import authentication
from realtime.channels.authorization import Signature
from realtime.conf import config
from realtime.protocol import CloseReason, close_codes
from realtime.protocol.signed_data import SubscriptionRefused, parse_channel_data, parse_member, parse_user_data
from realtime.server.connection_limits import ConnectionLimits, limit_keys
from realtime.server.session_cache import CachedSession
from realtime.server.subscriptions import Subscription

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer

User = AbstractBaseUser | None
Loaded = tuple[User, datetime | None, str | None]  # user, expiry of the session, limit exceeded


class SignIn:
    """Who uses a connection. A connection belongs to one user for its whole life, once it belongs to any."""

    __slots__ = ("_socket", "_watched", "credentials", "has_account", "signed_in_id", "user_id")

    def __init__(self, socket: "PusherConsumer") -> None:
        self._socket = socket
        self._watched: frozenset[str] = frozenset()
        self.credentials = authentication.ANONYMOUS
        self.user_id: str | None = None
        self.signed_in_id: str | None = None  # the id given by pusher:signin, as another back end may spell it
        self.has_account = False

    async def load(self, scope: Mapping[str, Any]) -> CloseReason | None:
        """Load the user of a handshake, and count the connection; return why it is refused, or None."""
        self.credentials = authentication.from_handshake(scope)
        hub = self._socket.hub
        cache, version = hub.session_cache, hub.session_cache.version
        cached = cache.get(self.credentials)
        user, expires_at, exceeded = await hub.queries.run_low_priority(self._read, cached, hub.connection_limits)
        if cached is None:
            cache.put(version, self.credentials, user, expires_at)
        self.remember(user)
        self._socket.revalidation.set_expiry(expires_at)
        keys = limit_keys(self.user_id, self._socket.address)
        return await self._admit(exceeded, keys, cluster_keys=keys)

    def _read(self, cached: CachedSession | None, counts: ConnectionLimits) -> Loaded:
        """Read user and expiry, and check the limits of all processes: one round through the query batcher."""
        if cached is None:
            user, expires_at = self.credentials.load_user_and_expiry()
        else:
            user, expires_at = cached.user, cached.expires_at
        keys = limit_keys(None if user is None else str(user.pk), self._socket.address)
        return user, expires_at, counts.check_cluster(keys)

    def remember(self, user: User) -> None:
        """Note the user whose account was loaded."""
        if user is not None:
            self.user_id, self.has_account = str(user.pk), True

    async def reload(self, *, low_priority: bool) -> User:
        """Read the user again; None once the session or token has ended, or the account is inactive."""
        hub = self._socket.hub
        cache, version = hub.session_cache, hub.session_cache.version
        run = hub.queries.run_low_priority if low_priority else hub.queries.run
        user, expires_at = await run(self.credentials.load_user_and_expiry)
        if user is None or self._socket.revalidation.is_running:  # then channels are authorized next
            cache.put(version, self.credentials, user, expires_at)
        self._socket.revalidation.set_expiry(expires_at)
        return user

    # -- pusher:signin

    async def sign_in(self, fields: dict[str, Any]) -> None:
        """Set the user from signed user data ("User authentication")."""
        auth, user_data = protocol.text_field(fields, "auth"), protocol.text_field(fields, "user_data")
        socket, settings = self._socket, config()
        if not protocol.is_valid_user_auth(auth, settings.app_key, settings.app_secrets, socket.socket_id, user_data):
            socket.fail(close_codes.INVALID_SIGNATURE)
            return
        data = parse_user_data(user_data)
        if not await self._become(data):
            socket.fail(close_codes.SIGN_IN_REFUSED)
            return
        if (reason := await self._check_limits()) is not None:
            socket.fail(reason)
            return
        socket.write(protocol.signin_success(user_data))
        await self._watch(data.get("watchlist"))

    async def _become(self, data: dict[str, Any]) -> bool:
        user_id, known = data["id"], self.signed_in_id or self.user_id
        if known is None and not await self._adopt(data, user_id):
            return False
        if known not in (None, user_id):
            return False
        self.signed_in_id = user_id
        return True

    async def _adopt(self, data: dict[str, Any], user_id: str) -> bool:
        """Take the user of signed data; False for a user of this site who is signed out or inactive."""
        queries = self._socket.hub.queries
        credentials = authentication.from_signed_data(data, user_id)
        user, expires_at = await queries.run(credentials.load_user_and_expiry)
        if user is None and ("sign_in" in data or await queries.run(authentication.has_account, user_id)):
            return False
        self.credentials, self.user_id = credentials, user_id
        self.remember(user)
        self._socket.revalidation.set_expiry(expires_at)
        if self._socket.subscriptions:
            self._socket.reauthorize(set(self._socket.subscriptions), whole_user=False)
        return True

    async def _check_limits(self) -> CloseReason | None:
        """Count the connection for the user it now belongs to; return why it is refused, or None."""
        hub, keys = self._socket.hub, limit_keys(self.user_id, self._socket.address)
        user_keys = {key: limit for key, limit in keys.items() if key.startswith("user:")}
        exceeded = await hub.queries.run(hub.connection_limits.check_cluster, user_keys)
        return await self._admit(exceeded, keys, cluster_keys=user_keys)

    async def _admit(
        self, exceeded: str | None, keys: Mapping[str, int], *, cluster_keys: Mapping[str, int]
    ) -> CloseReason | None:
        """Count the connection, or return why it is refused.

        A connection over a limit waits: those that it replaces may be closing, here or on other processes.
        """
        counts = self._socket.hub.connection_limits
        exceeded = exceeded or counts.count(self._socket, keys)
        if exceeded is not None and counts.waiting < limits.MAX_WAITING_CONNECTIONS:
            counts.waiting += 1
            try:
                exceeded = await self._wait_for_room(exceeded, keys, cluster_keys)
            finally:
                counts.waiting -= 1
        return _limit_reason(exceeded)

    async def _wait_for_room(
        self, exceeded: str | None, keys: Mapping[str, int], cluster_keys: Mapping[str, int]
    ) -> str | None:
        hub, counts = self._socket.hub, self._socket.hub.connection_limits
        for wait in limits.ADMISSION_RETRIES:
            if exceeded is None or self._socket.is_closing:
                break
            await asyncio.sleep(wait)
            exceeded = await hub.queries.run(counts.check_cluster, cluster_keys)
            exceeded = exceeded or counts.count(self._socket, keys)
        return exceeded

    async def _watch(self, watchlist: Any) -> None:
        if not isinstance(watchlist, list) or not watchlist:
            return
        user_ids = {str(user_id) for user_id in watchlist if protocol.is_user_id(user_id)}
        if max(len(watchlist), len(self._watched | user_ids)) > limits.MAX_WATCHLIST_USERS:
            message = f"A watchlist has at most {limits.MAX_WATCHLIST_USERS} users."
            self._socket.write(protocol.error(close_codes.WATCHLIST_TOO_LONG, message))
            return
        self._watched |= user_ids
        self._socket.write(
            protocol.watchlist_events(*await self._socket.hub.presence.watch_users(self._socket, user_ids))
        )

    # -- Signed subscriptions

    async def accept_signature(self, subscription: Subscription, fields: dict[str, Any]) -> None:
        """Check the signature of a subscription; its data name the user of a connection that has none yet.

        Raises SubscriptionRefused.
        """
        auth, channel_data = protocol.text_field(fields, "auth"), protocol.text_field(fields, "channel_data")
        if not auth:
            return
        auth, channel_data = protocol.extract_channel_data(auth, channel_data)
        settings, socket_id = config(), self._socket.socket_id
        if not protocol.is_valid_channel_auth(
            auth, settings.app_key, settings.app_secrets, socket_id, subscription.channel, channel_data
        ):
            raise SubscriptionRefused("The signature is not valid for this channel and connection.")
        data = parse_channel_data(channel_data)
        signature = Signature(parse_member(data))
        if data:
            await self._accept_user(data, str(data["user_id"]))
        subscription.signature = signature

    async def _accept_user(self, data: dict[str, Any], user_id: str) -> None:
        if self.user_id is None:
            if not await self._adopt(data, user_id):
                raise SubscriptionRefused("The signature is for a user who is signed out or inactive.")
            if (reason := await self._check_limits()) is not None:
                self._socket.fail(reason)
                raise SubscriptionRefused(reason.message, by="limit")
        if not self.has_account and user_id not in (self.user_id, self.signed_in_id):
            raise SubscriptionRefused("This connection belongs to another user.")


def _limit_reason(exceeded: str | None) -> CloseReason | None:
    if exceeded is None:
        return None
    of_user = exceeded.startswith("user:")
    return close_codes.TOO_MANY_CONNECTIONS_OF_USER if of_user else close_codes.TOO_MANY_CONNECTIONS_FROM_ADDRESS
