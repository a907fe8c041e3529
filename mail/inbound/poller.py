"""One thread per IMAP mailbox, which connects again after failures, later and later."""

import imaplib
import logging
import threading
from typing import Final

from django.db import DatabaseError, connection
from imap_tools import ImapToolsError

from jobs import runner
from mail.inbound import imap
from mail.inbound.parsing import guard
from mail.inbound.tasks import process_received
from mail.models import Mailbox, ReceivedMessage

logger = logging.getLogger(__name__)

FIRST_PAUSE: Final = 2.0  # seconds before the second attempt
LONGEST_PAUSE: Final = 300.0
MAX_AT_ONCE: Final = 5  # messages that the poller processes itself
FAILURES: Final = (OSError, imaplib.IMAP4.error, ImapToolsError, DatabaseError, UnicodeError)


class Poller(threading.Thread):
    """Fetches the messages of one mailbox until it is stopped. Its configuration is that of its start."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(name=f"mailbox {mailbox.pk}", daemon=True)
        self.mailbox = mailbox
        self._stopping = threading.Event()
        self._pause = FIRST_PAUSE

    @property
    def configuration(self) -> tuple[str, int, str, str, str]:
        """What a connection depends on."""
        return configuration(self.mailbox)

    def stop(self) -> None:
        """End, at the latest when the server's next announcement is due."""
        self._stopping.set()

    def run(self) -> None:
        """Poll, and start again after a failure."""
        while not self._stopping.is_set():
            try:
                self._poll()
            except FAILURES as error:
                self._report(error)
                self._stopping.wait(self._pause)
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
        connection.close()

    def _poll(self) -> None:
        with imap.connected(self.mailbox) as server:
            imap.report(self.mailbox, "")
            guard.prepare()
            while not self._stopping.is_set():
                if imap.fetch_new(self.mailbox, server):
                    process_now(self.mailbox)
                self._pause = FIRST_PAUSE
                imap.wait(server, imap.IDLE_SECONDS)

    def _report(self, error: Exception) -> None:
        logger.warning(
            "mailbox unavailable mailbox=%d error=%r; retrying in %d s", self.mailbox.pk, error, self._pause
        )
        try:
            imap.report(self.mailbox, f"{type(error).__name__}: {error}")
        except DatabaseError:
            connection.close()


def process_now(mailbox: Mailbox) -> None:
    """Process what has just been fetched, rather than when a worker looks for jobs next; many are left to workers."""
    waiting = ReceivedMessage.objects.filter(mailbox=mailbox, state=ReceivedMessage.State.RECEIVED)
    keys = list(waiting.order_by("received_at").values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
    for key in keys if len(keys) <= MAX_AT_ONCE else []:
        runner.run_now(process_received, str(key))
        guard.prepare()


class Pollers:
    """The threads of all mailboxes."""

    def __init__(self) -> None:
        self._running: dict[int, Poller] = {}

    def update(self) -> None:
        """Start a thread for each new mailbox, and stop those of mailboxes that were changed or deactivated."""
        active = {each.pk: each for each in Mailbox.objects.filter(is_active=True).exclude(imap_host="")}
        for pk, poller in list(self._running.items()):
            is_current = pk in active and poller.configuration == configuration(active[pk])
            if not is_current or not poller.is_alive():
                poller.stop()
                del self._running[pk]
        for pk in active.keys() - self._running.keys():
            self._running[pk] = Poller(active[pk])
            self._running[pk].start()


def configuration(mailbox: Mailbox) -> tuple[str, int, str, str, str]:
    """Return what a connection depends on."""
    return (
        mailbox.imap_host,
        mailbox.imap_port,
        mailbox.imap_security,
        mailbox.imap_username,
        mailbox.imap_secret,
    )
