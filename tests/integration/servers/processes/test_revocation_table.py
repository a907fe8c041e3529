"""Whatever ends access x a socket at the process where it happens and at the other one, with Redis and without."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone

from accounts.models import Office, User
from tests.integration.servers.processes import revocation_causes
from tests.integration.servers.processes.revocation_causes import (
    REVOCATION_CAUSES,
    TICKET,
    Case,
    RevocationCause,
)
from tests.support.cast import PASSWORD, Cast
from tests.support.clients.socket_client import Credentials, RemoteSocket
from tests.support.servers import instances
from tests.support.servers.http_client import HttpClient
from tests.support.sockets import do, session_cookie
from tickets import services
from tickets.people.participants import add_participant

WITHDRAWN = ("ticket.withdrawn", {"ticket", "event_id", "timestamp"})
REMOVED, REPLY = "pusher_internal:member_removed", "ticket.reply.created"
PROMISED = {"redis": 1.0, "database": 2.0}  # seconds until both sockets have ended, in the middle of the table
LATEST = 10.0  # per cause, on a busy machine; without a revocation a socket lives for up to 45


@pytest.fixture(scope="module", params=PROMISED)
def servers(environment, request):
    """Two processes; without Redis nothing but the database joins them."""
    redis_url = environment["REDIS_URL"] if request.param == "redis" else ""
    env = {"SECRET_KEY": environment["SECRET_KEY"], "REDIS_PREFIX": environment["REDIS_PREFIX"]}
    serve = partial(
        instances.server, "uvicorn", database_url=environment["DATABASE_URL"], redis_url=redis_url, env=env
    )
    with serve() as here, serve() as there:
        yield here, there


@dataclass
class Trial:
    """One cause, tried on a user with a socket at each server; then Ada writes a note, which others receive."""

    name: str
    ending: RevocationCause
    case: Case
    earlier: list[str]  # notes of other trials on the same ticket
    sockets: list[RemoteSocket] = field(default_factory=list)
    ended_at: float = 0

    def __post_init__(self) -> None:
        case = self.case
        self.user_id = str(case.who.pk)
        self.names = {
            "ticket": case.ticket.channel,
            "room": case.ticket.presence_channel,
            "desk": case.office.channel,
            "lobby": case.office.presence_channel,
            "own": case.who.channel,
        }
        self.lost = [self.names[kind] for kind in self.ending.loses or TICKET]
        self.rooms = [name for name in self.lost if name.startswith("presence-") and self.ending.is_seen]
        self.noted = case.ticket if self.ending.is_seen else case.cast.ticket

    async def open(self, servers: tuple[instances.Server, ...]) -> None:
        """Connect; the lifetime of an expiring session starts here."""
        if self.ending.lasts:
            self.ended_at = time.monotonic() + self.ending.lasts
            await do(revocation_causes.expires, self.case.key, timezone.now() + timedelta(seconds=self.ending.lasts))
        channels = [*self.lost, *(self.names[kind] for kind in self.ending.keeps)]
        self.sockets = [RemoteSocket(server, self.case.key) for server in servers]
        for socket in self.sockets:
            await socket.open(channels)

    async def play(self) -> None:
        """Act, and have Ada write at once, or after the session has expired."""
        await do(self.ending.act, self.case)
        if self.ending.lasts:
            with suppress(TimeoutError):
                await asyncio.gather(*map(self._end, self.sockets))
        else:
            self.ended_at = time.monotonic()
        await do(self.case.ada.reply, str(self.noted.uuid), self.name, internal="on")

    async def outcome(self, controls: list[RemoteSocket]) -> dict[str, Any]:
        """Return what came of it; what happens at both servers is a list of two."""
        return {
            "codes": [await self._code(socket) for socket in self.sockets],
            "received": [await self._received(socket) for socket in self.sockets],
            "history": [await asyncio.to_thread(self._history, socket) for socket in self.sockets],
            "next page": [await self._next_page(socket) for socket in self.sockets],
            "control": [await self._receives_note(socket) for socket in controls],
        }

    def expected(self) -> dict[str, Any]:
        """Return what is to come of it."""
        received = [WITHDRAWN] if self.ending.keeps else []
        code = 403 if self.ending.loses else 4009
        refused = {"history": [403] * 2, "next page": [False] * 2}
        return {"codes": [code] * 2, "received": [received] * 2, **refused, "control": [True] * 2}

    async def seconds(self, controls: list[RemoteSocket]) -> list[float]:
        """Return the seconds until access ended on both sockets, and until both controls saw it."""
        ends = [await self._end(socket) for socket in self.sockets] + [
            await self._gone(socket) for socket in controls
        ]
        return [max(0, moment - self.ended_at) for moment in ends]

    async def _end(self, socket: RemoteSocket) -> float:
        if not self.ending.loses:
            return (await socket.until("closed"))[0]
        return max([(await socket.until("pusher:subscription_error", channel))[0] for channel in self.lost])

    async def _code(self, socket: RemoteSocket) -> int:
        if not self.ending.loses:
            return (await socket.until("closed"))[1]["data"]["code"]
        return (await socket.until("pusher:subscription_error"))[1]["data"]["status"]

    async def _received(self, socket: RemoteSocket) -> list[tuple[str, set[str]]]:
        """Return the ticket events received since, once all have arrived."""
        if self.ending.loses:
            await socket.barrier()
        events = [frame for _, frame in socket.received if frame["event"].startswith("ticket.")]
        later = [frame for frame in events if frame["data"].get("reply", {}).get("message") not in self.earlier]
        return [(frame["event"], set(frame["data"])) for frame in later]

    def _history(self, socket: RemoteSocket) -> int:
        with closing(HTTPConnection("127.0.0.1", socket.server.port, timeout=60)) as connection:
            connection.request("GET", f"/broadcasting/history?channel={self.lost[0]}", headers=socket.key.headers)
            return connection.getresponse().status

    async def _next_page(self, socket: RemoteSocket) -> bool:
        """Return whether a new socket with the same credentials may subscribe to a lost channel."""
        page = RemoteSocket(socket.server, socket.key)
        await page.open([])
        allowed = [await page.may_subscribe(channel) for channel in self.lost]
        await page.close()
        return any(allowed)

    async def _receives_note(self, socket: RemoteSocket) -> bool:
        return bool(await socket.until(REPLY, self.noted.channel, message=self.name))

    async def _gone(self, socket: RemoteSocket) -> float:
        seen = [(await socket.until(REMOVED, room, user_id=self.user_id))[0] for room in self.rooms]
        return max(seen, default=self.ended_at)


def trials(cast: Cast, here: instances.Server) -> list[Trial]:
    """Create a user for each cause; what the cause affects belongs to this user only."""
    ada, password = HttpClient(here.url, session_cookie(cast.ada)), Argon2PasswordHasher()
    hashed = password.encode(PASSWORD, password.salt())
    made: list[Trial] = []
    for number, (name, ending) in enumerate(REVOCATION_CAUSES.items()):
        who = newcomer(f"Player {number}", ending.who, hashed)
        office = Office.objects.create(name=f"Office {number}") if "office" in ending.takes else cast.billing
        ticket = cast.ticket
        if "ticket" in ending.takes:
            ticket = services.open_ticket(by=cast.casey, subject=name, content="?", office=office)
        if ending.who == "assignee":
            services.update_ticket(ticket, by=cast.ada, values={"assigned_to": who})
        elif ending.who == "participant":
            add_participant(ticket, by=cast.ada, person=who)
        elif ending.who == "agent":
            office.agents.add(who)
        case = Case(here, ada, cast, who, revocation_causes.key_of(who, ending.comes_by), ticket, office)
        made.append(Trial(name, ending, case, earlier=[each.name for each in made]))
    return made


def newcomer(name: str, role: str, password: str) -> User:
    email = f"{name.lower().replace(' ', '')}@example.com"
    kept = {"admin": User.Role.ADMIN, "participant": User.Role.CUSTOMER}.get(role, User.Role.AGENT)
    return User.objects.create(email=email, name=name, role=kept, password=password)


@asynccontextmanager
async def played(tried: list[Trial], servers: tuple[instances.Server, ...]) -> AsyncIterator[list[RemoteSocket]]:
    """Play one after the other, waiting for none; yield Ada's sockets, which stay subscribed."""
    ada = Credentials(tried[0].case.ada.session)
    followed = list(dict.fromkeys(channel for each in tried for channel in (each.noted.channel, *each.rooms)))
    controls = [RemoteSocket(server, ada) for server in servers]
    try:
        for control in controls:
            await control.open(followed)
        for last in (False, True):
            async with asyncio.TaskGroup() as opening:
                for each in tried:
                    if bool(each.ending.lasts) is last:
                        opening.create_task(each.open(servers))
        for each in tried:
            await each.play()
        yield controls
    finally:
        await asyncio.gather(
            *(socket.close() for socket in [*controls, *(socket for each in tried for socket in each.sockets)])
        )


async def test_every_revocation_cause_ends_access_on_both_servers(live_cast, servers, subtests, request):
    tried, times = await do(trials, live_cast, servers[0]), []
    async with played(tried, servers) as controls:
        for each in tried:
            with subtests.test(ending=each.name):
                assert await each.outcome(controls) == each.expected()
                seconds = await each.seconds(controls)
                times.append(max(seconds[:2]))
                print(f"{each.name:<41}", *(f"{moment:6.2f}" for moment in seconds))  # noqa: T201
                assert max(seconds) < LATEST
    assert median(times) < PROMISED[request.node.callspec.params["servers"]]
