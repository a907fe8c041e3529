"""Database writes of a minute in which agents work: `python -m benchmarks.at_work [--agents 50] [--redis]`.

Each agent opens two tickets, reads them to the end, is seen there by colleagues, and types a reply for half a minute,
as the scripts of the pages do it at most: their periods are repeated here. No time is measured, so that the minute
takes seconds: counted are the rows that are written. SQLite without Redis, where presence, rate limits
and what is sent without history are in the database too, or with it.
"""

import asyncio
import os
import re
import tempfile
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import report
from tests.support.servers import instances, migrated

TICKETS = 2  # that an agent opens
SAVES = 10  # of a draft in half a minute: static/js/lib/drafts/synced-draft.js, PERIOD_MS
# Of half a minute of typing: static/js/lib/presence/own-activity.js.
TYPING, SIGNS = 10, 2
KEYSTROKES = 100  # of half a minute, 40 words a minute
MESSAGES = 8  # of a ticket, all unread
WRITE = re.compile(r'\s*(?P<what>INSERT|UPDATE|DELETE)( INTO| FROM)? "?(?P<table>\w+)', re.IGNORECASE)
RECORDS, LOG, SHARED = "records", "event log", "presence and limits"


class Counts:
    """The rows that all threads wrote, by what was being done and where they are."""

    def __init__(self) -> None:
        self.rows: Counter[tuple[str, str]] = Counter()
        self.kinds: list[str] = []

    def begin(self, kind: str) -> None:
        """Count for a kind of work from now on."""
        self.kinds.append(kind)

    def install(self) -> Any:
        """Count while the context is open."""
        from django.db.backends.utils import CursorWrapper

        execute, counts = CursorWrapper.execute, self

        def counted(cursor: Any, sql: str, params: Any = None) -> Any:
            found = execute(cursor, sql, params)
            if written := WRITE.match(sql):
                # What returns values has no number of rows yet: one row at least.
                number = max(cursor.rowcount, 1 if written["what"].upper() == "INSERT" else 0)
                counts.rows[counts.kinds[-1], place(written["table"])] += number
            return found

        return patch.object(CursorWrapper, "execute", counted)


def place(table: str) -> str:
    """Return in which column a table is counted."""
    return {
        "realtime_broadcast": LOG,
        "realtime_delivery": LOG,
        "realtime_hitcount": SHARED,
        "realtime_occupant": SHARED,
        "realtime_serverprocess": "",  # a heartbeat, whatever people do
    }.get(table, RECORDS)


class Office:
    """An office with its agents, and a ticket for every agent to write on."""

    def __init__(self, size: int) -> None:
        from accounts.models import Office as Row
        from accounts.models import User
        from tickets import services

        self.row = Row.objects.create(name="At work")
        agent, customer = User.Role.AGENT, User.Role.CUSTOMER
        self.agents = [self._person(f"agent{number}", agent) for number in range(size)]
        self.row.agents.set(self.agents)
        asker = self._person("asker", customer)
        self.tickets = []
        for number in range(size):
            subject = f"Question {number}"
            ticket = services.open_ticket(by=asker, subject=subject, content="Why?", office=self.row)
            for line in range(MESSAGES):
                services.add_reply(ticket, by=asker, message=f"Line {line}")
            self.tickets.append(ticket)

    def _person(self, name: str, role: str) -> Any:
        from accounts.models import User

        return User.objects.create_user(f"{name}@example.com", name=name.title(), role=role)


class Agent:
    """The browser of one agent, and its socket."""

    def __init__(self, user: Any, tickets: list[Any]) -> None:
        from django.test import Client

        self.user, self.tickets = user, tickets
        self.browser = Client()
        self.browser.force_login(user)
        self.socket: Any = None

    def open(self) -> None:
        for ticket in self.tickets:
            assert self.browser.get(ticket.get_absolute_url()).status_code == 200

    def read(self) -> None:
        """Report the messages in two parts: what is on the screen at first, and the end."""
        for ticket in self.tickets:
            replies = list(ticket.replies.order_by("number"))
            for reply in (replies[MESSAGES // 2], replies[-1]):
                self._post(f"{ticket.get_absolute_url()}read/", {"reply": str(reply.pk)})

    def draft(self) -> None:
        for number in range(SAVES):
            values = {"base": number, "user": str(self.user.pk), "text": "We look into it. " * (number + 1)}
            self._post(f"{self.tickets[0].get_absolute_url()}draft/", values)

    def _post(self, path: str, values: dict[str, Any]) -> None:
        assert self.browser.post(path, values).status_code in (200, 204), path

    async def show(self, channels: list[str]) -> None:
        """Be present on pages: lists and tickets."""
        from tests.support.sockets import open_socket

        name = "sessionid"
        self.socket = await open_socket(cookie=f"{name}={self.browser.cookies[name].value}")
        for channel in channels:
            answer = await self.socket.subscribe(channel)
            assert "succeeded" in answer["event"], answer

    async def type(self) -> None:
        from tests.support.clients.signed_clients import send_client_event

        ticket = self.tickets[0]
        for _ in range(TYPING):
            await send_client_event(self.socket, "client-typing", ticket.channel, {})
        for _ in range(SIGNS):
            await send_client_event(self.socket, "client-replying", ticket.presence_channel, {})
            await send_client_event(self.socket, "client-viewing", self.tickets[1].presence_channel, {})


async def work(counts: Counts, size: int) -> None:
    """Work for a minute; each kind of work is done by all agents before the next."""
    from realtime.server import hub
    from tests.support.sockets import do, settle

    office = await do(Office, size)
    tickets = office.tickets
    agents = []
    for number, user in enumerate(office.agents):
        agents.append(await do(Agent, user, [tickets[number], tickets[(number + 1) % size]]))
    with counts.install():
        counts.begin("open two tickets")
        for agent in agents:
            await do(agent.open)
        counts.begin("be present in the office and on two tickets")
        for agent in agents:
            channels = [agent.user.channel, office.row.channel, office.row.presence_channel]
            await agent.show(
                channels + [name for each in agent.tickets for name in (each.channel, each.presence_channel)]
            )
        await settle()
        counts.begin("type and be seen to")
        for agent in agents:
            await agent.type()
        await settle()
        counts.begin("read two tickets of eight messages")
        for agent in agents:
            await do(agent.read)
        counts.begin("write a draft")
        for agent in agents:
            await do(agent.draft)
        await settle()
        counts.begin("close the pages")
        for agent in agents:
            await agent.socket.close()
        await settle()
    await hub.here().close()


def main() -> None:
    """Count, and publish the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--redis", action="store_true", help="with a private Redis server")
    options = parser.parse_args()
    with ExitStack() as stack:
        database = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "desk.sqlite3"
        migrated.copy_to_file(database)
        os.environ |= {"DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
        if options.redis:
            os.environ["REDIS_URL"] = stack.enter_context(instances.redis_server()).url
        import django

        django.setup()
        counts = Counts()
        asyncio.run(work(counts, options.agents))
    publish(counts, options.agents, "with Redis" if options.redis else "without Redis")


def publish(counts: Counts, agents: int, where: str) -> None:
    """Print a row for each kind of work, and their sum."""
    names = (RECORDS, LOG, SHARED)
    sums: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for kind in counts.kinds:
        written = {name: counts.rows[kind, name] for name in names}
        sums.update(written)
        rows.append({"work": kind, **written, "per agent": round(sum(written.values()) / agents, 1)})
    rows.append({"work": "a minute", **sums, "per agent": round(sums.total() / agents, 1)})
    title = f"Rows written while {agents} agents work for a minute, {where}"
    report.publish("at_work", title, rows, bars="per agent", notes=f"{agents * KEYSTROKES:,} keystrokes.")


if __name__ == "__main__":
    main()
