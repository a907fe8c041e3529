"""Everybody's sockets: what is told live, to whom."""

import json
from typing import Any

from tests.support.signed_clients import answers, whisper
from tests.support.sockets import Listener, connect, do, settle
from tests.tickets.leaks.site import CUSTOMERS, ONLOOKERS, Desk
from tickets.models import Ticket

Frames = dict[str, list[dict[str, Any]]]
SUCCEEDED = "pusher_internal:subscription_succeeded"


class Ears:
    """A socket of each person, on every channel that lets him in; it knocks at the others all the same."""

    def __init__(self, desk: Desk, cookies: dict[str, str]) -> None:
        self.desk, self.cookies = desk, cookies
        self.listeners: dict[str, Listener] = {}

    async def open(self) -> None:
        """Go where one is let in; the onlookers try every other door as well."""
        for name, cookie in self.cookies.items():
            self.listeners[name] = await connect(cookie=cookie)
        for other, person in self.desk.people.items():
            await self.knock(person.channel, {other})
        for office, agents in self.desk.offices.items():
            for kind in ("private", "presence"):
                await self.knock(f"{kind}-office.{office}", {*agents, "ada"})
        for ticket in await do(self.desk.tickets):
            await self.knock_at_ticket(ticket)

    async def knock(self, channel: str, who: set[str]) -> None:
        """Have those listen to a channel who may, and see that no onlooker may who is not one of them."""
        for name in who | set(ONLOOKERS):
            listener = self.listeners[name]
            before = len(listener.heard)
            answer = await listener.subscribe(channel)
            assert (answer["event"] == SUCCEEDED) == (name in who), (channel, answer)
            assert not [frame for frame in listener.heard[before:] if not frame["event"].startswith("pusher")]

    async def knock_at_ticket(self, ticket: Ticket) -> None:
        """Ask to hear a ticket and who is there: as far as one is staff, or asked."""
        staff = set(self.desk.staff(ticket))
        creator = {name for name, person in self.desk.people.items() if person.pk == ticket.creator_id}
        await self.knock(ticket.channel, staff | creator)
        await self.knock(ticket.presence_channel, staff)

    async def whisper(self, name: str, event: str, channel: str) -> None:
        await whisper(self.listeners[name], event, channel, {"text": "I say"})

    async def heard(self) -> Frames:
        """Return what each has heard since he was asked last, but for the answers to his own knocking."""
        await settle()
        return {name: await answers(listener) for name, listener in self.listeners.items()}

    async def close(self) -> None:
        for listener in self.listeners.values():
            await listener.close()


def noticed(frames: Frames, ticket: Ticket | None, onlookers: tuple[str, ...]) -> list[Any]:
    """Return what those heard who were to notice nothing; of who works elsewhere, what is about the ticket."""
    return [
        (name, frame)
        for name in onlookers
        for frame in frames[name]
        if name in CUSTOMERS or (ticket is not None and str(ticket.uuid) in json.dumps(frame))
    ]
