"""The project's settings without limits on actions: tests write faster than people. Static files come from memory."""

from tikm.settings import *  # noqa: F403
from tikm.settings import ACTION_RATES, INSTALLED_APPS

ACTION_RATES = dict.fromkeys(ACTION_RATES, "1000000000000/minute")

ASGI_APPLICATION = "tests.browser.support.static_files.application"
INSTALLED_APPS = ["whitenoise.runserver_nostatic", *INSTALLED_APPS]
