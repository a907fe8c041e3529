"""The settings of production, but static files are not collected, and cookies are those of plain HTTP."""

from tikm.settings import *  # noqa: F403
from tikm.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "sessionid", "csrftoken"
