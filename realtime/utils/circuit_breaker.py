"""A circuit breaker: after a failure, calls fail at once for a while instead of waiting for a timeout."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from redis import RedisError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

RETRY_INTERVAL = 2  # seconds after a failure until one call tries the service again
LOG_INTERVAL = 60  # seconds between two log lines about the same service
TIMEOUT = 0.5  # seconds that callers allow a call to take


class ServiceUnavailable(Exception):
    """The service failed, or failed less than RETRY_INTERVAL ago; what it holds is unknown."""


@contextmanager
def unavailable_on(*failures: type[Exception]) -> Iterator[None]:
    """Raise ServiceUnavailable in place of `failures`; a context manager or a decorator."""
    try:
        yield
    except failures as error:
        raise ServiceUnavailable(str(error)) from error


class CircuitBreaker:
    """Guards one service for all threads of a process. After a failure one call at a time tries the service again.

    That call runs `probe` first, because reads may succeed where writes still fail.
    """

    def __init__(self, name: str, *failures: type[Exception], probe: Callable[[], object] | None = None) -> None:
        self._name, self._failures, self._probe = name, failures, probe
        self.reset()

    def reset(self) -> None:
        """Forget earlier failures."""
        self._open_until, self._logged_at = 0.0, float("-inf")

    def call(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Return the result of `function`. Raises ServiceUnavailable if it fails, or if the circuit is open."""
        now = time.monotonic()
        if now < self._open_until:
            raise ServiceUnavailable(self._name)
        is_retry = bool(self._open_until)
        if is_retry:
            self._open_until = now + RETRY_INTERVAL  # other threads fail at once while this call tries
        try:
            if is_retry and self._probe is not None:
                self._probe()
            result = function(*args, **kwargs)
        except self._failures as error:
            self._fail(error)
            raise ServiceUnavailable(self._name) from error
        self._open_until = 0.0
        return result

    def _fail(self, error: Exception) -> None:
        now = time.monotonic()
        self._open_until = now + RETRY_INTERVAL
        if now - self._logged_at > LOG_INTERVAL:
            self._logged_at = now
            logger.warning("service unavailable name=%s error=%r; using the local fallback", self._name, str(error))


def _write_to_redis() -> None:
    from realtime.utils import redis_client  # which takes its timeout from this module

    redis_client.connection().set(redis_client.key("is-writable"), 1, ex=RETRY_INTERVAL or 1)


redis_breaker = CircuitBreaker("redis", RedisError, OSError, probe=_write_to_redis)
