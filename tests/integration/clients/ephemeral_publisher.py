"""A process of the site that broadcasts and disconnects on commands: JSON lines on stdin."""

import json
import subprocess
import sys
from collections.abc import Mapping
from subprocess import PIPE
from typing import Any, Self

from tests.support.servers import instances


class EphemeralPublisher:
    """Runs this module as a program, and calls `realtime.broadcasting.ephemeral` in it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.integration.clients.ephemeral_publisher"]
        settings = {"cwd": instances.TOP, "env": environment, "text": True}
        self.process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, **settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def broadcast(self, channel: str, event: str, data: str) -> None:
        """Broadcast an event on a channel; `data` is the text that clients receive."""
        self._call("broadcast_now", channels=[channel], event=event, data=data)

    def disconnect(self, *people: str) -> None:
        """Disconnect users."""
        self._call("disconnect", users=people)

    def _call(self, verb: str, **details: Any) -> None:
        self.process.stdin.write(json.dumps([verb, details]) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline(), f"The back end failed at {verb} {details}."


def run_commands() -> None:
    """Run the command on each line, and print when it is done."""
    from realtime.broadcasting import ephemeral

    for line in sys.stdin:
        verb, details = json.loads(line)
        getattr(ephemeral, verb)(**details)
        print("done", flush=True)  # noqa: T201


if __name__ == "__main__":
    import django

    django.setup()
    run_commands()
