"""A manage.py command in a terminal: its output, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from queue import Empty, Queue
from threading import Thread

from tests.support.servers import instances

TIMEOUT = 60  # seconds: on a busy machine a start takes its time


class Terminal:
    """One running command; its lines come as they are printed, those of the error stream among them."""

    def __init__(self, database_url, *command, **environment):
        known = {"DATABASE_URL": database_url, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "tests.settings"}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=instances.TOP,
            env={**os.environ, **known, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        self._new = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def reads(self, words, *, within=TIMEOUT):
        """Return the next line with these words in it."""
        deadline = time.monotonic() + within
        try:
            while True:
                line = self._new.get(timeout=max(0, deadline - time.monotonic()))
                self.lines.append(line)
                if words in line:
                    return line
        except Empty:
            raise AssertionError(f"{words!r} was not printed; this was: {self.lines}") from None

    def ctrl_c(self):
        """Press Ctrl-C, and return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.exit_status()

    def exit_status(self):
        """Wait for the end, and return the exit status; there never is a traceback."""
        status = self.process.wait(timeout=TIMEOUT)
        self._reader.join()
        while not self._new.empty():
            self.lines.append(self._new.get())
        assert "Traceback" not in "\n".join(self.lines)
        return status

    def end(self):
        """End it and let go of its pipe."""
        self.process.kill()
        self._reader.join()
        with self.process:
            pass

    def _read(self):
        for line in self.process.stdout:
            self._new.put(line.rstrip("\n"))
