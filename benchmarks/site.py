"""A site with many users, on its own PostgreSQL and Redis; servers run on one core, everything else on another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from benchmarks.cores import LOAD, SERVERS, on_core
from tests.support.servers import instances

if TYPE_CHECKING:
    from accounts.models import Office, User
    from tickets.models import Ticket

SECRETS = {
    "SECRET_KEY": "for-this-benchmark",
    "REALTIME_APP_SECRET": "for-this-benchmark",
    "DEBUG": "false",
    "DJANGO_SETTINGS_MODULE": "tests.integration.servers.uncollected",  # cookies for plain HTTP
}
USERS_PER_OFFICE = 50


@dataclass(frozen=True)
class Visitor:
    """A user with a session, and the three channels to which their page subscribes."""

    cookie: str
    channels: tuple[str, ...]  # the user's, a ticket's, and another ticket's or an office's
    page: str  # of the ticket

    @property
    def person(self) -> str:
        """The user's key."""
        return self.channels[0].partition(".")[2]

    @property
    def ticket(self) -> str:
        """The ticket's UUID."""
        return self.channels[1].partition(".")[2]


@contextmanager
def services() -> Iterator[dict[str, str]]:
    """Run an empty PostgreSQL and Redis on the load's core; yield the servers' environment variables."""
    with ExitStack() as stack:
        os.sched_setaffinity(0, {LOAD})
        database, redis = stack.enter_context(instances.postgres()), stack.enter_context(instances.redis_server())
        ours = {**SECRETS, "DATABASE_URL": database, "REDIS_URL": redis.url, "EMAIL_URL": "memorymail://"}
        os.environ |= instances.environment(ours)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, cwd=instances.TOP)
        import django

        django.setup()
        from realtime.serve.server import raise_file_limit

        raise_file_limit()
        yield ours


@contextmanager
def sockets(ours: dict[str, Any], core: int = SERVERS) -> Iterator[instances.Server]:
    """Run one process of sockets."""
    options = {"database_url": ours["DATABASE_URL"], "redis_url": ours["REDIS_URL"], "env": ours}
    with on_core(core), instances.server("uvicorn", **options) as server:
        os.sched_setaffinity(0, {LOAD})
        yield server


def gather(number: int) -> list[Visitor]:
    """Create `number` signed-in users in the database: every other one an agent, the others customers."""
    from django.conf import settings

    offices, people = _offices(number), _people(number)
    _staff(offices, people)
    keys, tickets = _sign_in(people), _tickets(offices, people)
    return [
        Visitor(f"{settings.SESSION_COOKIE_NAME}={key}", (person.channel, *channels), page)
        for person, key, (channels, page) in zip(people, keys, tickets, strict=True)
    ]


def _offices(number: int) -> list["Office"]:
    from accounts.models import Office

    return Office.objects.bulk_create(Office(name=f"Office {n}") for n in range(number // USERS_PER_OFFICE + 1))


def _people(number: int) -> list["User"]:
    from django.contrib.auth.hashers import make_password

    from accounts.models import User

    password, roles = make_password("correct horse battery"), (User.Role.CUSTOMER, User.Role.AGENT)
    people = (
        User(email=f"person{n}@example.com", password=password, name=f"Person {n}", role=roles[n % 2])
        for n in range(number)
    )
    return User.objects.bulk_create(people, batch_size=1000)


def _staff(offices: list["Office"], people: list["User"]) -> None:
    through = type(offices[0]).agents.through
    through.objects.bulk_create(
        through(office_id=_office_of(n, offices).pk, user_id=person.pk) for n, person in enumerate(people) if n % 2
    )


def _office_of(number: int, offices: list["Office"]) -> "Office":
    return offices[number // USERS_PER_OFFICE]


def _sign_in(people: list["User"]) -> list[str]:
    """Create a session for each user; return the session keys."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    store, end, backend = SessionStore(), timezone.now() + timedelta(days=1), settings.AUTHENTICATION_BACKENDS[0]
    sessions = [
        Session(session_key=f"{number:032}", session_data=store.encode(said), expire_date=end)
        for number, said in enumerate(
            {
                SESSION_KEY: str(person.pk),
                BACKEND_SESSION_KEY: backend,
                HASH_SESSION_KEY: person.get_session_auth_hash(),
            }
            for person in people
        )
    ]
    Session.objects.bulk_create(sessions, batch_size=1000)
    return [session.session_key for session in sessions]


def _tickets(offices: list["Office"], people: list["User"]) -> Iterator[tuple[list[str], str]]:
    """Create two tickets per customer; yield each user's channels except their own, and a page."""
    written = _write_tickets(offices, people)
    for number in range(len(people)):
        first, second = written[number // 2 * 2], written[min(number // 2 * 2 + 1, len(written) - 1)]
        other = _office_of(number, offices).channel if number % 2 else second.channel
        yield [first.channel, other], first.get_absolute_url()


def _write_tickets(offices: list["Office"], people: list["User"]) -> list["Ticket"]:
    from tickets.models import Priority, Status, Ticket

    references, fields = count(1), {"status": Status.default(), "priority": Priority.default()}
    tickets = (
        Ticket(
            reference=f"B{next(references):07}",
            subject="It does not work",
            content="Since this morning.",
            creator=person,
            office=_office_of(number, offices),
            **fields,
        )
        for number, person in enumerate(people)
        if number % 2 == 0
        for _ in range(2)
    )
    return Ticket.objects.bulk_create(tickets, batch_size=1000)
