"""The tasks that know no app: the commands of settings.JOBS_DAILY, and the webhooks of `realtime`."""

import io
import logging
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.management import call_command

from jobs.models import Job
from jobs.registry import task
from jobs.runner import PermanentFailure

logger = logging.getLogger(__name__)

TIMEOUT: Final = 3600  # seconds
DELAYS: Final = (timedelta(minutes=10), timedelta(hours=1))  # tomorrow there is another job
WEBHOOK_TIMEOUT: Final = 30  # seconds; a POST takes five at most
# As realtime.webhooks.delivery.RETRY_DELAYS, which not every process loads.
WEBHOOK_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 16, 32, *[60] * 6))


@task(atomic=False, timeout=TIMEOUT, delays=DELAYS)
def run_command(job: Job, *, command: str) -> None:
    """Run a daily command, which may run again after it was interrupted."""
    if command not in settings.JOBS_DAILY:
        return
    output = io.StringIO()
    call_command(command, stdout=output)
    logger.info("daily command done command=%s output=%r", command, output.getvalue().strip())


@task(atomic=False, timeout=WEBHOOK_TIMEOUT, delays=WEBHOOK_DELAYS, keeps_done=False)
def deliver_webhooks(job: Job, *, receiver_id: int) -> None:
    """Send the next webhook events of a receiver; they may be sent twice, which Pusher's receivers expect."""
    from realtime.webhooks import delivery  # a process that only publishes does not load it

    try:
        delivery.deliver(receiver_id, delivery_id=str(job.pk), attempt=job.attempts)
    except delivery.EventsExpired as error:
        raise PermanentFailure(str(error)) from error


@task(timeout=5, delays=())
def probe(job: Job) -> None:
    """Do nothing: `jobs/doctor.py` waits until a worker has done it."""
