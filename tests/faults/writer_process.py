"""The process of the writers, from outside."""

import subprocess
import sys
from collections.abc import Mapping
from subprocess import PIPE

from tests.support.servers import instances


class Writing:
    """Start writers with this many changes a second."""

    def __init__(self, environment: Mapping[str, str], seed: str, rate: float) -> None:
        command = [sys.executable, "-m", "tests.faults.writer", seed, str(rate)]
        self._process = subprocess.Popen(command, cwd=instances.TOP, env=environment, stdin=PIPE, stdout=PIPE)

    def wait_until_begun(self) -> None:
        """Return once they write."""
        self._process.stdout.readline()

    def finish(self) -> None:
        """Have them end what they are at, and stop."""
        self._process.communicate()

    def kill(self) -> None:
        """End them at once, in the middle of something."""
        self._process.kill()
        self.finish()
