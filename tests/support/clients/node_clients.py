"""Programs under Node, and what they see."""

import json
import subprocess
import time
from pathlib import Path
from queue import Empty, Queue
from subprocess import PIPE
from threading import Thread
from typing import Any

HERE = Path(__file__).resolve().parents[2] / "integration/clients/node"
TIMEOUT = 60  # seconds: on a busy machine Node takes long to start


class NodeClient:
    """A Node.js client that runs commands and reports what it sees, as JSON lines."""

    def __init__(self, script: str, **options: Any) -> None:
        command = ["node", HERE / script, json.dumps(options)]
        self.process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True)
        self.seen: list[dict[str, Any]] = []
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def do(self, command: str, **details: Any) -> None:
        """Have it act."""
        self.process.stdin.write(json.dumps({"do": command, **details}) + "\n")
        self.process.stdin.flush()

    def sees(self, what: str, *, within: float = TIMEOUT, **details: Any) -> dict[str, Any]:
        """Return the next sight of this kind with these details; what comes before it is kept in `seen`."""
        wanted, deadline = {"saw": what, **details}, time.monotonic() + within
        try:
            while True:
                sight = json.loads(self._lines.get(timeout=max(0, deadline - time.monotonic())))
                self.seen.append(sight)
                if wanted.items() <= sight.items():
                    return sight
        except Empty:
            raise AssertionError(f"{wanted} was not seen; these were: {self.seen}") from None

    def saw(self, what: str, **details: Any) -> list[dict[str, Any]]:
        """Return all that was seen so far of this kind with these details."""
        wanted = {"saw": what, **details}
        return [sight for sight in self.seen if wanted.items() <= sight.items()]

    def end(self) -> None:
        """End it and let go of its pipes."""
        self.process.kill()
        self._reader.join()
        with self.process:
            pass

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
