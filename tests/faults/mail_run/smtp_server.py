"""An SMTP server in a process of its own: `python -m tests.faults.mail_run.smtp_server PORT LOG`.

It writes a line of JSON for each recipient of a mail, [Message-ID, recipient], and answers later: what fails in
between leaves the worker without an answer to a mail that is on its way.
"""

import asyncio
import json
import os
import random
import signal
import socket
import sys
from contextlib import suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller

from tests.support.servers.instances import TOP, Instance, environment, free_port

MAX_DELAY = 0.5  # seconds


class Log:
    """Records the mails that the server has accepted."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        message_id = message_from_bytes(envelope.content, policy=default)["Message-ID"]
        for recipient in envelope.rcpt_tos:
            os.write(self.file, f"{json.dumps([message_id, recipient])}\n".encode())
        await asyncio.sleep(random.uniform(0, MAX_DELAY))
        return "250 OK"


class SmtpServer(Instance):
    """The process, from outside."""

    def __init__(self, directory):
        self.port, self._path = free_port(), directory / "accepted"
        command = [sys.executable, "-m", "tests.faults.mail_run.smtp_server", str(self.port), str(self._path)]
        super().__init__(command, directory, env=environment({}))
        self.spawning["cwd"] = TOP

    def answers(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            return connection.recv(3) == b"220"
        return False

    def accepted(self):
        """Return (Message-ID, recipient) of each mail, as often as it came."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [tuple(json.loads(line)) for line in lines]


def main(port, path):
    """Serve until SIGTERM."""
    controller = Controller(Log(Path(path)), hostname="127.0.0.1", port=int(port))
    controller.start()
    signal.sigwait([signal.SIGTERM])


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    main(*sys.argv[1:])
