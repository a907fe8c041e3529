"""Commands that run beside the worker, each in a process of its own: settings.JOBS_COMPANIONS."""

import logging
import os
import subprocess
import sys

from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


class Companions:
    """The processes of this worker's companions; they end with it."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def update(self) -> None:
        """Start those that are needed and do not run."""
        for command, condition in settings.JOBS_COMPANIONS.items():
            process = self._processes.get(command)
            if process is not None and process.poll() is None:
                continue
            try:
                is_needed = import_string(condition)()
            except DatabaseError as error:
                logger.warning("companion postponed command=%s error=%r", command, str(error))
                continue
            if is_needed:
                words = [sys.executable, "-m", "django", command, "--stop-with", str(os.getpid())]
                self._processes[command] = subprocess.Popen(words)  # noqa: S603

    def stop(self) -> None:
        """End them."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait()
