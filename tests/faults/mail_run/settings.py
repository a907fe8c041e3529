"""The product's settings with a mail server that is given up soon, and without the rate limit of senders."""

from tikm import settings
from tikm.settings import *  # noqa: F403

INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.faults.mail_run.apps.MailRunConfig"]
JOBS_DAILY = []
EMAIL_TIMEOUT = 2
ACTION_RATES = settings.ACTION_RATES | {"mail": "1000000/hour"}
