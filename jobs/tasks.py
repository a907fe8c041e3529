"""The task that runs the commands of settings.JOBS_DAILY."""

import io
import logging
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.management import call_command

from jobs.models import Job
from jobs.registry import task

logger = logging.getLogger(__name__)

TIMEOUT: Final = 3600  # seconds
DELAYS: Final = (timedelta(minutes=10), timedelta(hours=1))  # tomorrow there is another job


@task(atomic=False, timeout=TIMEOUT, delays=DELAYS)
def run_command(job: Job, *, command: str) -> None:
    """Run a daily command, which may run again after it was interrupted."""
    if command not in settings.JOBS_DAILY:
        return
    output = io.StringIO()
    call_command(command, stdout=output)
    logger.info("daily command done command=%s output=%r", command, output.getvalue().strip())
