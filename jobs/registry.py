"""The tasks that exist: functions that jobs name. A job of the database runs nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs import wake_up

TIMEOUT: Final = 60  # seconds that a job may run
# Before each further attempt: about a day in all, as mail servers are down.
DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 15 * 3600)
)

tasks: dict[str, "Task"] = {}


@dataclass(frozen=True)
class Task:
    """A function that jobs name, and how they run it."""

    name: str
    function: Callable[..., None] = field(repr=False)
    atomic: bool  # what it writes and the job's end are one transaction
    timeout: int  # seconds
    delays: tuple[timedelta, ...]
    on_failure: Callable[..., None] | None = field(default=None, repr=False)  # (job, reason)
    keeps_done: bool = True  # whether a job that is done stays for a while, so that its key is not used again

    def enqueue(self, *, key: str, run_at: datetime | None = None, **arguments: Any) -> None:
        """Store a job, unless this task had one of this `key`. It runs if the running transaction commits."""
        from jobs.models import Job

        now = timezone.now()
        job = Job(task=self.name, key=key, arguments=arguments, run_at=run_at or now)
        Job.objects.bulk_create([job], ignore_conflicts=True)
        if settings.JOBS_BROKER == "redis" and (run_at is None or run_at <= now):
            transaction.on_commit(wake_up.send)


def task(
    *,
    atomic: bool = True,
    timeout: int = TIMEOUT,
    delays: tuple[timedelta, ...] = DELAYS,
    on_failure: Callable[..., None] | None = None,
    keeps_done: bool = True,
) -> Callable[[Callable[..., None]], Task]:
    """Register a function `(job, *, argument, ...)` as a task.

    An atomic task changes the database only: its changes are committed together with the job's end, or not at all.
    Another one runs outside a transaction, possibly again after it was interrupted: it is idempotent, or calls
    `job.begin_effect()` before what must not happen twice. `on_failure(job, reason)` runs in the transaction that
    records a job's final failure. A job that is done is deleted at once if not `keeps_done`: for tasks that run every
    second.
    """

    def register(function: Callable[..., None]) -> Task:
        name = f"{function.__module__.removesuffix('.tasks')}.{function.__name__}"
        tasks[name] = Task(name, function, atomic, timeout, delays, on_failure, keeps_done)
        return tasks[name]

    return register
