"""The product's settings, with the tasks that kill their worker."""

from tikm.settings import *  # noqa: F403
from tikm.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.integration.servers.processes.killed_jobs"]
JOBS_DAILY = []
