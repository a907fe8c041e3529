"""The project's settings with test secrets, fast password hashing and plain static file names."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 40)
os.environ.setdefault("REALTIME_APP_SECRET", "tests-only-app-secret")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
os.environ.setdefault("DEFAULT_FROM_EMAIL", "TIKM <desk@example.com>")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")

if "FILES_DIR" not in os.environ:
    os.environ["FILES_DIR"] = tempfile.mkdtemp(prefix="tikm-files-")
    atexit.register(shutil.rmtree, os.environ["FILES_DIR"], ignore_errors=True)

from tikm.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "sessionid", "csrftoken"
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
WHITENOISE_AUTOREFRESH = True
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
STORAGES["attachments"]["OPTIONS"]["location"] = str(Path(os.environ["FILES_DIR"], _worker))  # noqa: F405
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
REALTIME["TAIL_INTERVAL"] = 0.1  # noqa: F405  (seconds: tests that wait for the log tailer are faster)

# Where OIDC_ISSUER is set, as some tests have it.
INSTALLED_APPS += ["allauth.socialaccount.providers.openid_connect"]  # noqa: F405
# A page with one query per row is an error.
INSTALLED_APPS += ["zeal"]
MIDDLEWARE = ["tests.support.query_guard.pages_ask_once", *MIDDLEWARE]  # noqa: F405
ZEAL_RAISE = True
