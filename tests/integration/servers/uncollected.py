"""The settings of production, but that the files for the browser are not collected."""

from tikm.settings import *  # noqa: F403
from tikm.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
