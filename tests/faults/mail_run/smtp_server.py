"""An SMTP server in a process of its own: `python -m tests.faults.mail_run.smtp_server PORT LOG`.

It writes a line of JSON for each recipient of a mail, [Message-ID, recipient], and answers later: what fails in
between leaves the worker without an answer to a mail that is on its way. Now and then it ends the connection instead.
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
from tempfile import TemporaryDirectory

from aiosmtpd.controller import Controller

from tests.support.servers.instances import TOP, Instance, environment, free_port

MAX_DELAY = 0.5  # seconds
LOST = 12  # each so many mails, the answer is lost


class Log:
    """Records the mails that the server has accepted."""

    def __init__(self, path):
        self.path, self.file = path, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        message_id = message_from_bytes(envelope.content, policy=default)["Message-ID"]
        for recipient in envelope.rcpt_tos:
            os.write(self.file, f"{json.dumps([message_id, recipient])}\n".encode())
        with TemporaryDirectory(dir=unanswered(self.path)):
            await asyncio.sleep(random.uniform(0, MAX_DELAY))
        if len(lines(self.path)) % LOST == 0:
            server.transport.abort()
        return "250 OK"


def unanswered(path):
    """Return the folder that has an entry while a mail has no answer yet."""
    return path.with_suffix(".unanswered")


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


class SmtpServer(Instance):
    """The process, from outside."""

    def __init__(self, directory):
        self.port, self._path = free_port(), directory / "accepted"
        unanswered(self._path).mkdir()
        command = [sys.executable, "-m", "tests.faults.mail_run.smtp_server", str(self.port), str(self._path)]
        super().__init__(command, directory, env=environment({}))
        self.spawning["cwd"] = TOP

    def answers(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            return connection.recv(3) == b"220"
        return False

    def accepted(self):
        """Return (Message-ID, recipient) of each mail, as often as it came."""
        return [tuple(json.loads(line)) for line in lines(self._path)]

    def owes_answer(self):
        """Return whether a mail is accepted, and its sender does not know yet."""
        return any(unanswered(self._path).iterdir())

    def kill(self):
        """Kill it, with what it knew."""
        super().kill()
        for entry in unanswered(self._path).iterdir():
            entry.rmdir()


def main(port, path):
    """Serve until SIGTERM."""
    controller = Controller(Log(Path(path)), hostname="127.0.0.1", port=int(port))
    controller.start()
    signal.sigwait([signal.SIGTERM])


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    main(*sys.argv[1:])
