"""SMTP servers on loopback that accept, refuse, or fall silent."""

from contextlib import contextmanager

from aiosmtpd.controller import Controller

from tests.support.servers.instances import free_port


class Receiver:
    """Keeps what it receives; `answers` replaces the answer to a command once for each item."""

    def __init__(self):
        self.received, self.answers = [], {}
        self.is_cutting = False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if answer := self._next("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if answer := self._next("DATA"):
            return answer
        self.received.append(envelope)
        if self.is_cutting:
            server.transport.abort()
        return "250 OK"

    def _next(self, command):
        return self.answers[command].pop(0) if self.answers.get(command) else ""


@contextmanager
def smtp_server():
    """Run a server; yield its port and its `Receiver`."""
    receiver, port = Receiver(), free_port()
    controller = Controller(receiver, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, receiver
    finally:
        controller.stop()
