"""What fails, by a seeded schedule, while mails arrive."""

import heapq
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random

from tests.mail.inbound.writing import write

TWICE = 2  # each kind at least so often
COPIES = 0.1  # of the messages are delivered twice


class Correspondence:
    """The messages that people write: replies to their tickets, and new tickets of customers."""

    def __init__(self, addresses, server, random):
        self._addresses, self._server, self._random = addresses, server, random
        self.replies: dict[str, str] = {}  # text -> who wrote it
        self.tickets: dict[str, str] = {}
        self.delivered = 0

    def arrive(self):
        """Put another message into the mailbox, now and then in two copies."""
        number = len(self.replies) + len(self.tickets)
        name = self._random.choice(sorted(self._addresses))
        text = f"Message {number} of {name}."
        if name != "bao" and self._random.random() < 0.3:
            self.tickets[text] = name
            to = {}
        else:
            self.replies[text] = name
            to = {"to": self._random.choice(self._addresses[name])}
        sender = f"{name.title()} <{name}@example.com>"
        raw = write(text, sender=sender, subject=f"Subject {number}", message_id=f"<{number}@example.com>", **to)
        for _ in range(1 + (self._random.random() < COPIES)):
            self._server.deliver(raw)
            self.delivered += 1


class MailFaults:
    """Breaks workers and servers, and repairs them, in one thread: they would end with the one that starts them."""

    kinds = (
        "worker_killed", "process_killed", "senders_killed", "poller_killed", "worker_stalled", "sender_stalled",
        "smtp_killed", "smtp_stalled", "imap_killed", "imap_stalled",
    )  # fmt: skip

    def __init__(self, workers, smtp, imap, seed):
        self.workers, self.smtp, self.imap, self.random = workers, smtp, imap, Random(seed)
        self._agenda, self._numbers = [], count()
        self.done = Counter()

    def run(self, correspondence, *, seconds, pause, period):
        """Have messages arrive each `period`, and something fail each `pause`, on average; then repair all."""
        for number in range(round(seconds / period)):
            self._after(number * period, correspondence.arrive)
        rounds = max(TWICE, round(seconds / pause / len(self.kinds)))
        kinds = [kind for _ in range(rounds) for kind in self.random.sample(self.kinds, len(self.kinds))]
        for number, kind in enumerate(kinds):
            delay = seconds / len(kinds) * (number + self.random.random())
            self._after(delay, lambda kind=kind: self._do(kind))
        while self._agenda:
            due, _number, act = heapq.heappop(self._agenda)
            time.sleep(max(0, due - time.monotonic()))
            act()

    def _after(self, seconds, act):
        heapq.heappush(self._agenda, (time.monotonic() + seconds, next(self._numbers), act))

    def _do(self, kind):
        """Break something, or try again soon if it is broken already."""
        if getattr(self, kind)():
            self.done[kind] += 1
        else:
            self._after(0.5, lambda: self._do(kind))

    # What can fail; each returns whether it did

    def worker_killed(self):
        worker = self.random.choice(self.workers)
        worker.kill()
        worker.start()
        return True

    def process_killed(self):
        return self._kill(_pool(self.random.choice(self.workers)))

    def senders_killed(self):
        """The processes that run jobs, while one of them waits for the answer to a mail."""
        if not self.smtp.owes_answer():
            return False
        for worker in self.workers:
            self._kill(_pool(worker))
        return True

    def poller_killed(self):
        return self._kill(_pollers(self.random.choice(self.workers)))

    def worker_stalled(self):
        """Longer than its leases: the other worker takes its jobs over."""
        return self._stall(self.random.choice(self.workers), self.random.uniform(3, 14))

    def sender_stalled(self):
        """For longer than its leases, while it may wait for the answer to a mail."""
        return self.smtp.owes_answer() and self._stall(self.random.choice(self.workers), 12)

    def smtp_killed(self):
        return self._restart(self.smtp)

    def smtp_stalled(self):
        return self._stall(self.smtp, self.random.uniform(1, 4))

    def imap_killed(self):
        return self._restart(self.imap)

    def imap_stalled(self):
        return self._stall(self.imap, self.random.uniform(1, 6))

    def _kill(self, processes):
        if not processes:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(processes), signal.SIGKILL)
        return True

    def _restart(self, server):
        if server.process.returncode is not None:
            return False
        server.kill()
        self._after(self.random.uniform(0.5, 3), server.start)
        return True

    def _stall(self, instance, seconds):
        if instance.process.returncode is not None:
            return False
        group = instance.process.pid
        os.killpg(group, signal.SIGSTOP)
        self._after(seconds, lambda: _go_on(group))
        return True


def _go_on(group):
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGCONT)


def _pool(worker):
    """Return the processes that run jobs: all that the worker forked."""
    return [pid for pid in _descendants(worker.process.pid) if "poll_mailboxes" not in _command(pid)]


def _pollers(worker):
    return [pid for pid in _descendants(worker.process.pid) if "poll_mailboxes" in _command(pid)]


def _descendants(pid):
    with suppress(FileNotFoundError, ProcessLookupError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [each for child in map(int, children) for each in (child, *_descendants(child))]
    return []


def _command(pid):
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""
