"""A circuit breaker: whoever asks a service that is away goes on without it, and does not wait for it each time."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis import RedisError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

ASK_AGAIN = 2  # seconds after a failure, in which nobody asks; then one does
SAY_AGAIN = 60  # seconds between two lines in the log
TIMEOUT = 0.5  # seconds: what takes longer has failed


class ServiceUnavailable(Exception):
    """The service does not answer now."""


class Breaker:
    """Stands before one service, for all threads of a process; after a failure it lets through one call at a time."""

    def __init__(self, name: str, *failures: type[Exception]) -> None:
        self._name, self._failures = name, failures
        self.reset()

    def reset(self) -> None:
        """Take the service for one that answers."""
        self._closed_until, self._said_at = 0.0, float("-inf")

    def call(self, act: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Return what `act` returns; raise `Away` if it fails, or without a try soon after it failed."""
        now = time.monotonic()
        if now < self._closed_until:
            raise ServiceUnavailable(self._name)
        if self._closed_until:
            self._closed_until = now + ASK_AGAIN  # the others go on without, while this one tries
        try:
            result = act(*args, **kwargs)
        except self._failures as error:
            self._fail(error)
            raise ServiceUnavailable(self._name) from error
        self._closed_until = 0.0
        return result

    def _fail(self, error: Exception) -> None:
        now = time.monotonic()
        self._closed_until = now + ASK_AGAIN
        if now - self._said_at > SAY_AGAIN:
            self._said_at = now
            logger.warning("%s does not answer (%s); this process goes on without it.", self._name, error)


redis_breaker = Breaker("Redis", RedisError, OSError)
