"""The sockets of all users."""

import json
from typing import Any

from tests.support.signed_clients import answers, send_client_event
from tests.support.sockets import SocketClient, do, open_socket, settle
from tests.tickets.leaks.site import CUSTOMERS, OBSERVERS, Desk
from tickets.models import Ticket

Frames = dict[str, list[dict[str, Any]]]
SUCCEEDED = "pusher_internal:subscription_succeeded"


class Ears:
    """A socket of each user, subscribed to every allowed channel; it also tries the others."""

    def __init__(self, desk: Desk, cookies: dict[str, str]) -> None:
        self.desk, self.cookies = desk, cookies
        self.listeners: dict[str, SocketClient] = {}

    async def open(self) -> None:
        """Subscribe to allowed channels; observers try the others as well."""
        for name, cookie in self.cookies.items():
            self.listeners[name] = await open_socket(cookie=cookie)
        for other, person in self.desk.people.items():
            await self.knock(person.channel, {other})
        for office, agents in self.desk.offices.items():
            for kind in ("private", "presence"):
                await self.knock(f"{kind}-office.{office}", {*agents, "ada"})
        for ticket in await do(self.desk.tickets):
            await self.knock_at_ticket(ticket)

    async def knock(self, channel: str, who: set[str]) -> None:
        """Subscribe the authorized users to a channel, and check that no other observer is accepted."""
        for name in who | set(OBSERVERS):
            listener = self.listeners[name]
            before = len(listener.received)
            answer = await listener.subscribe(channel)
            assert (answer["event"] == SUCCEEDED) == (name in who), (channel, answer)
            assert not [frame for frame in listener.received[before:] if not frame["event"].startswith("pusher")]

    async def knock_at_ticket(self, ticket: Ticket) -> None:
        """Subscribe to a ticket's channels as far as the user is its staff or customer."""
        staff = set(self.desk.staff(ticket))
        creator = {name for name, person in self.desk.people.items() if person.pk == ticket.creator_id}
        await self.knock(ticket.channel, staff | creator)
        await self.knock(ticket.presence_channel, staff)

    async def whisper(self, name: str, event: str, channel: str) -> None:
        await send_client_event(self.listeners[name], event, channel, {"text": "I say"})

    async def heard(self) -> Frames:
        """Return what each user received since the last call, except answers to their own subscriptions."""
        await settle()
        return {name: await answers(listener) for name, listener in self.listeners.items()}

    async def close(self) -> None:
        for listener in self.listeners.values():
            await listener.close()


def noticed(frames: Frames, ticket: Ticket | None, onlookers: tuple[str, ...]) -> list[Any]:
    """Return what users received who must not notice the step; of staff elsewhere only events of the ticket."""
    return [
        (name, frame)
        for name in onlookers
        for frame in frames[name]
        if name in CUSTOMERS or (ticket is not None and str(ticket.uuid) in json.dumps(frame))
    ]
