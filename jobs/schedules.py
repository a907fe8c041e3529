"""What workers plan: the commands of settings.JOBS_DAILY, each once a day, and webhooks that nothing else sends."""

import logging
import zlib
from datetime import date, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from jobs.models import Job
from jobs.tasks import run_command

logger = logging.getLogger(__name__)


class Planner:
    """Enqueues what is due; it asks the database once per command and day."""

    def __init__(self) -> None:
        self._planned: dict[str, date] = {}

    def plan(self) -> None:
        """Enqueue what is due, also what was due while no worker ran."""
        self._plan_commands()
        if settings.REALTIME["WEBHOOKS"]:
            _plan_webhooks()

    def _plan_commands(self) -> None:
        """Enqueue the commands whose time of the day has come."""
        for command in settings.JOBS_DAILY:
            day = (timezone.now() - time_of_day(command)).date()
            if self._planned.get(command) == day:
                continue
            try:
                _enqueue(command, day)
            except DatabaseError as error:
                logger.warning("schedule postponed command=%s error=%r", command, str(error))
                return
            self._planned[command] = day


def time_of_day(command: str) -> timedelta:
    """Return when a command runs, in UTC: spread over the day, by installation."""
    return timedelta(seconds=zlib.crc32(f"{settings.REDIS_PREFIX} {command}".encode()) % 86400)


def _plan_webhooks() -> None:
    """Enqueue deliveries that were not, because a process died between the commit and the job."""
    from realtime.webhooks import outbox  # a process that only publishes does not load it

    try:
        outbox.schedule_overdue()
    except DatabaseError as error:
        logger.warning("webhook deliveries not planned error=%r", str(error))


def _enqueue(command: str, day: date) -> None:
    key = f"{command} {day}"
    if not Job.objects.filter(task=run_command.name, key=key).exists():
        run_command.enqueue(key=key, command=command)
