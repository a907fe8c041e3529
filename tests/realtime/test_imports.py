"""What a process loads that publishes events, and serves no sockets."""

import os
import subprocess
import sys

from tests.support.instances import TOP

NOT_LOADED = (
    "realtime.consumers",
    "realtime.presence.tracker",
    "realtime.serve",
    "realtime.server",
    "realtime.webhooks",
    "realtime.websocket",
    "uvicorn",
)
LIST_MODULES = "import django, sys; django.setup(); import realtime; realtime.publish; print(*sys.modules)"


def test_publishing_does_not_load_the_server() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", LIST_MODULES]
    printed = subprocess.run(command, cwd=TOP, env=environment, check=True, capture_output=True, text=True).stdout
    modules = printed.split()
    assert "realtime.broadcasting.publish" in modules
    assert [name for name in modules if name.startswith(NOT_LOADED)] == []
