"""Revalidate an open connection: its session, and its authorization for channels after a revocation."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from realtime import metrics, protocol
from realtime.channels.authorization import Authorization
from realtime.protocol import close_codes
from realtime.server.query_batcher import DatabaseUnavailable
from realtime.server.subscriptions import State, Subscription

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer

logger = logging.getLogger(__name__)

SWEEP_INTERVAL = 5  # seconds between two sweeps of the hub
SESSION_CHECK_INTERVAL = 45  # seconds: a session may end without any notice


class Revalidation:
    """The revalidations of one connection that are in progress, and when its session is checked next."""

    __slots__ = ("_checked_at", "_expires_at", "_expiry_timer", "_socket", "_tasks")

    def __init__(self, socket: "PusherConsumer") -> None:
        self._socket = socket
        self._tasks: frozenset[asyncio.Task[None]] = frozenset()
        self._checked_at = time.monotonic()
        self._expires_at: float | None = None  # monotonic seconds
        self._expiry_timer: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether a subscription is held until its user is authorized again."""
        return any(each.state is State.REVALIDATING for each in self._socket.subscriptions.values())

    @property
    def is_busy(self) -> bool:
        """Whether anything is in progress."""
        return bool(self._tasks)

    def start(self, subscriptions: Iterable[Subscription], *, whole_user: bool) -> None:
        """Hold the frames of `subscriptions` until the user is authorized again, and check the session.

        With `whole_user` a connection that is authorized by signatures alone is closed: a signature does not show
        whether the session that obtained it has ended; a new one does.
        """
        held = []
        for subscription in subscriptions:
            subscription.begin_revalidation()
            if subscription.state is State.REVALIDATING:
                held.append(subscription)
        if held:
            self._socket.write_now = None
        self._spawn(self._run(held, whole_user=whole_user))

    async def _run(self, held: list[Subscription], *, whole_user: bool = False, low_priority: bool = False) -> None:
        socket = self._socket
        try:
            if socket.sign_in.has_account and await socket.sign_in.reload(low_priority=low_priority) is None:
                socket.fail(close_codes.SESSION_ENDED)
            elif whole_user and socket.sign_in.credentials.user_id is not None:
                socket.fail(close_codes.AUTHORIZE_AGAIN)
            elif held:
                authorizations = await socket.authorize(held)
                for subscription in held:
                    await self._finish(subscription, authorizations[subscription.channel])
        except Exception as error:
            log_failure("revalidation failed", error)
            socket.fail(close_codes.AUTHORIZATION_FAILED)

    async def _finish(self, subscription: Subscription, authorization: Authorization | None) -> None:
        if not subscription.has_ended and subscription.audience is not None:
            if authorization is None or authorization.audience is not subscription.audience:
                subscription.must_confirm = True
            await self._socket.apply(subscription, authorization)
        subscription.revalidations -= 1
        if not (subscription.revalidations or subscription.has_ended):
            await self._release(subscription)
        self._socket.resume_direct_writes()

    async def _release(self, subscription: Subscription) -> None:
        """Send the held frames. A client whose audience changed is confirmed again instead, and asks the history."""
        socket, held = self._socket, subscription.take_held()
        if subscription.audience is None:
            subscription.has_ended = True
            if subscription.channel not in socket.subscriptions:  # else the client has subscribed again
                metrics.refused_subscriptions.labels("ended").inc()
                socket.write(protocol.subscription_error(subscription.channel, 403, "Your access has ended."))
        elif subscription.must_confirm:
            await socket.confirm(subscription)
        else:
            for frames in held:
                socket.write_frames(frames)

    # -- The session

    def check_session(self, *, low_priority: bool = False) -> None:
        """Close the connection if its session or token has ended."""
        self._checked_at = time.monotonic()
        self._spawn(self._run([], low_priority=low_priority))

    def sweep(self, now: float) -> None:
        """Check the session if it was not checked for SESSION_CHECK_INTERVAL; `now` in monotonic seconds."""
        if now - self._checked_at > SESSION_CHECK_INTERVAL:
            self.check_session(low_priority=True)
        self._start_timer(now)

    def postpone_check(self) -> None:
        """Count the session as checked now."""
        self._checked_at = time.monotonic()

    def set_expiry(self, expires_at: datetime | None) -> None:
        """Check the session at the moment it expires, unless it is extended first; None for no expiry."""
        self._cancel_timer()
        now = time.monotonic()
        self._expires_at = None if expires_at is None else now + (expires_at - datetime.now(UTC)).total_seconds()
        if not self._socket.is_closing:
            self._start_timer(now)

    def _start_timer(self, now: float) -> None:
        """Start a timer if the session expires before the sweep after next: idle connections have none."""
        if (
            self._expires_at is not None
            and self._expiry_timer is None
            and self._expires_at - now < 2 * SWEEP_INTERVAL
        ):
            self._expiry_timer = self._socket.hub.loop.call_later(self._expires_at - now, self.check_session)

    def _cancel_timer(self) -> None:
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
            self._expiry_timer = None

    # -- Tasks

    def stop(self) -> None:
        """Cancel everything in progress: the client is gone."""
        for task in self._tasks:
            task.cancel()
        self._cancel_timer()
        self._expires_at = None

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks |= {task}
        task.add_done_callback(self._discard_task)

    def _discard_task(self, task: asyncio.Task[None]) -> None:
        self._tasks -= {task}


def log_failure(event: str, error: Exception) -> None:
    """Log an error with its traceback; an unavailable database is logged once, by the query batcher."""
    if not isinstance(error, DatabaseUnavailable):
        logger.error(event, exc_info=error)
