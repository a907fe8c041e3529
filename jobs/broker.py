"""Where django-q2 gets its work from: the jobs of the database, in place of its own queue.

django-q2's Redis queue loses a job that runs while its worker is killed, and none of its queues is part of a
transaction, has keys or waits longer after each failure. Redis only wakes a worker here.
"""

import logging
import time
from typing import Any, Final

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_q.brokers import Broker
from django_q.signing import SignedPackage
from redis import RedisError

from jobs.models import Job
from jobs.wake_up import Listener

logger = logging.getLogger(__name__)

POLL_INTERVAL: Final = 0.5  # seconds; docs/decisions/0034-keep-jobs-in-the-database.md has the figures
WAKE_UP_TIMEOUT: Final = 1  # seconds until a worker looks for jobs without having been woken
BATCH: Final = 10  # jobs claimed at a time


class DatabaseBroker(Broker):  # type: ignore[misc]
    """Claims due jobs; looks again twice a second."""

    def dequeue(self) -> list[tuple[None, str]] | None:
        """Return claimed jobs, packed for a worker process; None after having waited for some."""
        close_old_connections()
        try:
            claimed = Job.objects.all().claim(BATCH)
        except DatabaseError as error:
            logger.warning("job database unavailable error=%r; retrying in %s s", str(error), POLL_INTERVAL)
            claimed = []
        if claimed:
            return [(None, pack(job)) for job in claimed]
        self.wait()
        return None

    def wait(self) -> None:
        """Return when it is time to look for jobs again."""
        time.sleep(POLL_INTERVAL)

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Keep no statistics of the cluster: they would be written to the cache twice a second."""

    def ping(self) -> bool:
        """Return whether the broker is there: the database may come later."""
        return True


class RedisBroker(DatabaseBroker):
    """Claims due jobs as soon as Redis says that there are some."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._listener = Listener()

    def wait(self) -> None:
        """Wait in Redis, and without it as the DatabaseBroker does."""
        try:
            self._listener.wait(WAKE_UP_TIMEOUT)
        except (RedisError, OSError):
            super().wait()


def pack(job: Job) -> str:
    """Return what a worker process of django-q2 gets to know of a job."""
    package: dict[str, Any] = {
        "id": str(job.pk),
        "name": job.task,
        "func": "jobs.runner.run",
        "args": (job.pk, str(job.run_at)),
        "kwargs": {},
        "started": timezone.now(),
    }
    if job.function:
        package["timeout"] = job.function.timeout
    return str(SignedPackage.dumps(package))
