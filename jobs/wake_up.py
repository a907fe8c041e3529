"""A list in Redis that wakes an idle worker at once. The jobs themselves are in the database."""

from typing import Any, Final

from django.conf import settings
from redis import Redis, RedisError

from realtime.utils import redis_client
from realtime.utils.circuit_breaker import ServiceUnavailable, redis_breaker

MAX_LENGTH: Final = 100  # items; while no worker runs, nothing reads them
READ_TIMEOUT: Final = 5  # seconds beyond the wait until Redis counts as down


def key() -> str:
    """Return the list's key: of this installation alone, whatever others share the server."""
    return f"{settings.REDIS_PREFIX}:jobs"


def send() -> None:
    """Wake one worker. While Redis is down, workers find the job when they look next."""
    try:
        redis_breaker.call(_push)
    except ServiceUnavailable:
        return


def _push() -> None:
    with redis_client.connection().pipeline(transaction=False) as pipeline:
        pipeline.lpush(key(), 1)
        pipeline.ltrim(key(), 0, MAX_LENGTH - 1)
        pipeline.execute()


class Listener:
    """The worker's connection, on which it waits."""

    def __init__(self) -> None:
        self._connection: Any = None

    def wait(self, seconds: int) -> None:
        """Return when a job was enqueued, or after `seconds`. Raises RedisError, OSError."""
        if self._connection is None:
            connections = redis_client.pool(socket_timeout=seconds + READ_TIMEOUT)
            self._connection = Redis(connection_pool=connections)
        try:
            if self._connection.brpop([key()], timeout=seconds):
                self._connection.delete(key())  # one look finds all jobs
        except (RedisError, OSError):
            self._connection = None
            raise
