"""`manage.py serve`: the production server of `realtime`, with a worker beside it on request."""

import os
import shlex
import sys
from argparse import ArgumentParser
from typing import Any

from realtime.management.commands import serve


class Command(serve.Command):
    """Adds `--with-worker`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the argument."""
        super().add_arguments(parser)
        parser.add_argument("--with-worker", action="store_true", help="run background jobs too, on one machine")

    def companions(self, options: dict[str, Any]) -> list[str]:
        """Return the worker's command; this process becomes the arbiter, its parent."""
        words = [sys.executable, "-m", "django", "worker", "--stop-with", str(os.getpid())]
        return [shlex.join(words)] if options["with_worker"] else []
