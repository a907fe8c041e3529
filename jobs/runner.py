"""Run a claimed job in a worker process: once, or again after a failure."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop
from django_q.exceptions import TimeoutException

from jobs.models import Job, LeaseLost
from jobs.registry import Task

logger = logging.getLogger(__name__)

INTERRUPTED = gettext_noop("The worker ended while this ran. It may have taken effect: check before you retry.")
KILLED = gettext_noop("The worker ended during each attempt.")
UNKNOWN_TASK = gettext_noop("This release has no such task.")


class PermanentFailure(Exception):
    """The job cannot succeed; the message says why."""


def run(pk: int, lease: str) -> None:
    """Run a job, if the lease that ends at `lease` (ISO 8601) is still its present one."""
    job = Job.objects.filter(pk=pk, run_at=datetime.fromisoformat(lease)).first()
    if job is None or not job.lease():  # from now on: it may have waited in this process
        return
    if job.has_begun_effect:
        fail(job, INTERRUPTED)
    elif job.function is None:
        fail(job, UNKNOWN_TASK)
    elif job.attempts > len(job.function.delays):
        fail(job, KILLED)
    else:
        _attempt(job, job.function)


def run_now(task: Task, key: str) -> None:
    """Run a job in this process, unless a worker has it already. If this process ends, a worker runs it later."""
    job = Job.objects.due().filter(task=task.name, key=key, state=Job.State.WAITING).first()
    if job is not None and job.lease():
        run(job.pk, str(job.run_at))


def fail(job: Job, reason: str) -> None:
    """End a job that cannot succeed, and do what its task has for that case."""
    with transaction.atomic():
        if job.fail(reason) and job.function is not None and job.function.on_failure is not None:
            job.function.on_failure(job, reason)
    logger.error("job failed task=%s job=%d reason=%r", job.task, job.pk, reason)


def _attempt(job: Job, task: Task) -> None:
    """Count and make one attempt; after an error make another one later, with less and less haste."""
    job.attempts += 1
    Job.objects.filter(pk=job.pk, run_at=job.run_at).update(attempts=job.attempts)
    try:
        _call(job, task)
    except LeaseLost:
        logger.warning("job lost task=%s job=%d; it ran for longer than its lease", job.task, job.pk)
    except PermanentFailure as error:
        fail(job, str(error))
    except (Exception, TimeoutException) as error:
        reason = f"{type(error).__name__}: {error}"
        if job.has_begun_effect:
            fail(job, f"{INTERRUPTED} {reason}")
            return
        if job.attempts > len(task.delays):
            fail(job, reason)
            return
        delay = task.delays[job.attempts - 1]
        job.postpone(reason, delay)
        logger.warning(
            "job postponed task=%s job=%d seconds=%d error=%r", job.task, job.pk, delay.total_seconds(), reason
        )


def _call(job: Job, task: Task) -> None:
    arguments = job.arguments  # which a finished job forgets
    if not task.atomic:
        task.function(job, **arguments)
        job.finish()
        return
    state = job.state, job.run_at
    try:
        with transaction.atomic():
            # First: it locks the row, so that another worker with this job waits, and then finds it done.
            if not job.finish():
                raise LeaseLost
            task.function(job, **arguments)
    except BaseException:
        job.state, job.run_at = state  # as in the database again
        raise
