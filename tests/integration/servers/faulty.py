"""The settings of `uncollected`, and a site that a test can break or block."""

import os
import time
from pathlib import Path

from tests.integration.servers.uncollected import *  # noqa: F403

ASGI_APPLICATION = "tests.integration.servers.faulty.application"
BROKEN = "BROKEN_MARKER"  # environment: while this file exists, no worker can load the site
BLOCKED = "BLOCKED_MARKER"  # environment: this file exists once a worker is blocked
BLOCKING_PATH, BLOCKED_FOR = "/block/", 60  # seconds


def __getattr__(name):
    """Return the application, which only workers load."""
    if name != "application":
        raise AttributeError(name)
    if Path(os.environ[BROKEN]).exists():
        raise ImportError("This release is broken.")
    return _application


async def _application(scope, receive, send):
    """Serve the site; one path blocks the event loop."""
    from tikm.asgi import application as site

    if scope["path"] == BLOCKING_PATH:
        _block()
    await site(scope, receive, send)


def _block():
    Path(os.environ[BLOCKED]).touch()
    time.sleep(BLOCKED_FOR)
