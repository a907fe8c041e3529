"""Writers in a process of their own: `python -m tests.faults.writer SEED RATE`, until stdin ends.

Each is a thread that calls a random verb on a random ticket, RATE times a second in all; what the database cannot do
just then is left.
"""

import sys
import threading
import time
from functools import partial
from random import Random
from typing import Any

import django

WRITERS = 3
PROBABLE = {
    "reply": 34, "note": 20, "long_reply": 3, "burst": 1, "delete": 6,
    "status": 10, "priority": 8, "subject": 6, "assign": 6,
}  # fmt: skip
BURST = 30  # replies, as fast as they can be written
LONG = 12_000  # characters: an event this long is truncated


class Writer:
    """A writer with its own random seed."""

    def __init__(self, seed: str) -> None:
        from accounts.models import User
        from tickets.models import Priority, Status, Ticket

        self.random = Random(seed)
        self.count = 0
        self.name = seed
        self.tickets = list(Ticket.objects.order_by("pk"))
        self.statuses, self.priorities = list(Status.objects.all()), list(Priority.objects.all())
        self.people = {user.email.partition("@")[0]: user for user in User.objects.all()}

    def act(self) -> None:
        """Do something."""
        ticket = self.random.choice(self.tickets)
        verbs, weights = zip(*PROBABLE.items(), strict=True)
        getattr(self, self.random.choices(verbs, weights)[0])(ticket)

    def reply(self, ticket: Any, message: str = "A reply") -> None:
        by = self.random.choice([self.people["ada"], ticket.creator])
        self._write(ticket, message, by=by)

    def note(self, ticket: Any) -> None:
        self._write(ticket, "A secret", by=self.people["ada"], internal=True)

    def long_reply(self, ticket: Any) -> None:
        self.reply(ticket, "Long " * (LONG // 5))

    def burst(self, ticket: Any) -> None:
        for _ in range(BURST):
            self.reply(ticket, "One of many")

    def delete(self, ticket: Any) -> None:
        from tickets import services

        reply = ticket.replies.order_by("?").first()
        if reply is not None and not reply.message.startswith("By key "):
            services.delete_reply(reply, by=self.people["ada"])

    def status(self, ticket: Any) -> None:
        self._change(ticket, status=self.random.choice(self.statuses))

    def priority(self, ticket: Any) -> None:
        self._change(ticket, priority=self.random.choice(self.priorities))

    def subject(self, ticket: Any) -> None:
        self._change(ticket, subject=f"Subject {self.count} of {self.name}")

    def assign(self, ticket: Any) -> None:
        self._change(ticket, assigned_to=self.random.choice([None, *map(self.people.get, ("ada", "bao", "emil"))]))

    def _write(self, ticket: Any, message: str, **options: Any) -> None:
        from tickets import services

        services.add_reply(ticket, message=f"{message} {self.count} of {self.name}", **options)

    def _change(self, ticket: Any, **values: Any) -> None:
        from tickets import services

        services.update_ticket(ticket, by=self.people["ada"], values=values)


def write(name: str, rate: float, is_over: threading.Event) -> None:
    """Act until it is over, on a connection of one's own."""
    from django.core.exceptions import ObjectDoesNotExist
    from django.db import Error, connection

    writer = Writer(name)
    while not is_over.wait(writer.random.expovariate(rate)):
        writer.count += 1
        try:
            writer.act()
        except ObjectDoesNotExist:
            pass  # another one was quicker to delete it
        except Error:
            connection.close()


def main(seed: str, rate: str) -> None:
    """Write until stdin ends."""
    is_over = threading.Event()
    names = [f"{seed}-{number}-{time.time_ns()}" for number in range(WRITERS)]
    threads = [threading.Thread(target=partial(write, name, float(rate) / WRITERS, is_over)) for name in names]
    for thread in threads:
        thread.start()
    print("Writing", flush=True)  # noqa: T201
    sys.stdin.read()
    is_over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:3])
