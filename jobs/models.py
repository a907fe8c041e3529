"""Jobs, each the only one of its task and key."""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.registry import Task, tasks

GRACE: Final = timedelta(seconds=30)  # a lease is longer than the task's timeout by this
MAX_ERROR_LENGTH: Final = 2000


class JobQuerySet(models.QuerySet["Job"]):
    """Finds and claims jobs."""

    def due(self) -> Self:
        """Return the jobs to run now: those that wait, and those whose worker has not come back."""
        return self.filter(run_at__lte=timezone.now()).order_by("run_at", "pk")

    def backlog(self) -> tuple[int, int, float]:
        """Return how many jobs wait, how many have failed, and how many seconds the oldest due one is late."""
        now, waits = timezone.now(), models.Q(state=Job.State.WAITING)
        found = self.aggregate(
            waiting=models.Count("pk", filter=waits),
            failed=models.Count("pk", filter=models.Q(state=Job.State.FAILED)),
            oldest=models.Min("run_at", filter=waits),
        )
        oldest = found["oldest"] or now
        return found["waiting"], found["failed"], max(0.0, (now - oldest).total_seconds())

    def claim(self, limit: int) -> list["Job"]:
        """Lease up to `limit` due jobs to this process; another one that claims them too gets the others."""
        return [job for job in self.due()[:limit] if job.lease()]


class Job(models.Model):
    """Something to do once outside a request: a task, its arguments, and how it went.

    `run_at` is when it is due; of a running job, when its lease ends and another worker may take it. It is NULL when
    the job has ended, so that its index finds the due ones among many others.
    """

    class State(models.TextChoices):
        """Where a job is."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    task = models.CharField(_("task"), max_length=100)
    key = models.CharField(_("key"), max_length=200)
    arguments = models.JSONField(_("arguments"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    run_at = models.DateTimeField(_("due"), null=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    has_begun_effect = models.BooleanField(default=False, editable=False)
    error = models.TextField(_("reason"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [models.UniqueConstraint(fields=["task", "key"], name="one_job_per_key")]
        indexes = [
            models.Index(fields=["run_at"], name="due_jobs"),
            models.Index(fields=["finished_at"], name="finished_jobs"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.key}"

    @property
    def function(self) -> Task | None:
        """Return the task; None if this release has none of that name."""
        return tasks.get(self.task)

    def lease(self) -> bool:
        """Reserve the job for this process, for as long as it may run; return whether no other one was faster."""
        timeout = self.function.timeout if self.function else 0
        until = timezone.now() + timedelta(seconds=timeout) + GRACE
        return self._update(state=self.State.RUNNING, run_at=until)

    def begin_effect(self) -> None:
        """Commit that something follows which must not happen twice: if it is interrupted, the job has failed."""
        if self.function is None or self.function.atomic:
            raise transaction.TransactionManagementError("begin_effect() is for tasks that are not atomic.")
        if not self._update(has_begun_effect=True):
            raise LeaseLost

    def cancel_effect(self) -> None:
        """Record that what `begin_effect` announced has certainly not happened."""
        self._update(has_begun_effect=False)

    def finish(self) -> bool:
        """Record that the job is done, and forget its arguments; return whether its lease was still valid."""
        if self.function and not self.function.keeps_done:
            return bool(Job.objects.filter(pk=self.pk, state=self.state, run_at=self.run_at).delete()[0])
        return self._end(state=self.State.DONE, arguments={}, error="", has_begun_effect=False)

    def postpone(self, error: str, delay: timedelta) -> None:
        """Try again after `delay`."""
        self._update(
            state=self.State.WAITING,
            run_at=timezone.now() + delay,
            error=error[:MAX_ERROR_LENGTH],
            has_begun_effect=False,
        )

    def fail(self, error: str) -> bool:
        """Stop trying: admins see the reason, and may try again. Return whether the lease was still valid."""
        return self._end(state=self.State.FAILED, error=error[:MAX_ERROR_LENGTH])

    def retry(self) -> bool:
        """Run a failed job again, with all its attempts; return whether it had failed."""
        return self._update(
            state=self.State.WAITING,
            run_at=timezone.now(),
            attempts=0,
            has_begun_effect=False,
            finished_at=None,
        )

    def _end(self, **changes: Any) -> bool:
        return self._update(run_at=None, finished_at=timezone.now(), **changes)

    def _update(self, **changes: Any) -> bool:
        """Write `changes`, unless another process or admin has changed the job meanwhile."""
        unchanged: dict[str, str | datetime | None] = {"state": self.state, "run_at": self.run_at}
        if not Job.objects.filter(pk=self.pk, **unchanged).update(**changes):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        return True


class LeaseLost(Exception):
    """Another worker has taken the job meanwhile: this one took longer than its task allows."""
