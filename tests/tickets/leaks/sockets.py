"""The sockets of all users."""

import json
from collections.abc import Iterable
from typing import Any

from tests.support.clients.signed_clients import answers, send_client_event
from tests.support.sockets import SocketClient, do, open_socket, settle
from tests.tickets.leaks.site import CUSTOMERS, OBSERVERS, Site
from tickets.models import Ticket

Frames = dict[str, list[dict[str, Any]]]
SUCCEEDED = "pusher_internal:subscription_succeeded"


class Sockets:
    """A socket of each user, subscribed to every allowed channel; it also tries the others."""

    def __init__(self, site: Site, cookies: dict[str, str]) -> None:
        self.site, self.cookies = site, cookies
        self.listeners: dict[str, SocketClient] = {}

    async def open(self) -> None:
        """Subscribe to allowed channels; observers try the others as well."""
        for name, cookie in self.cookies.items():
            self.listeners[name] = await open_socket(cookie=cookie)
        for other, user in self.site.people.items():
            await self.subscribe(user.channel, {other})
        await self.subscribe(self.site.private.channel, set(await do(self.site.staff, self.site.cast.ticket)))
        for office, agents in self.site.offices.items():
            for kind in ("private", "presence"):
                await self.subscribe(f"{kind}-office.{office}", {*agents, "ada"})
        for ticket in await do(self.site.tickets):
            await self.subscribe_to_ticket(ticket)

    async def subscribe(self, channel: str, who: set[str], others: Iterable[str] = OBSERVERS) -> None:
        """Subscribe the authorized users to a channel, and check that no other observer is accepted."""
        for name in who.union(others):
            listener = self.listeners[name]
            before = len(listener.received)
            answer = await listener.subscribe(channel)
            assert (answer["event"] == SUCCEEDED) == (name in who), (channel, answer)
            assert not [frame for frame in listener.received[before:] if not frame["event"].startswith("pusher")]

    async def subscribe_to_ticket(self, ticket: Ticket) -> None:
        """Subscribe to a ticket's channels as far as the user is its staff or customer."""
        staff = set(self.site.staff(ticket))
        customers = {name for name in self.site.people if await do(self.site.asks, name, ticket)}
        await self.subscribe(ticket.channel, staff | customers)
        await self.subscribe(ticket.presence_channel, staff)

    async def subscribe_customers(self, ticket: Ticket) -> None:
        """Subscribe the customers again, whose organization has changed."""
        customers = {name for name in CUSTOMERS if await do(self.site.asks, name, ticket)}
        await self.subscribe(ticket.channel, customers, CUSTOMERS)

    async def whisper(self, name: str, event: str, channel: str) -> None:
        await send_client_event(self.listeners[name], event, channel, {"text": "I say"})

    async def received(self) -> Frames:
        """Return what each user received since the last call, except answers to their own subscriptions."""
        frames: Frames = {name: [] for name in self.listeners}
        for _round in range(2):  # the server handles a client event before the pong of the first
            await settle()
            for name, listener in self.listeners.items():
                frames[name] += await answers(listener)
        return frames

    async def close(self) -> None:
        for listener in self.listeners.values():
            await listener.close()


def noticed(frames: Frames, ticket: Ticket | None, observers: tuple[str, ...]) -> list[Any]:
    """Return what users received who must not notice the step; of staff elsewhere only events of the ticket."""
    return [
        (name, frame)
        for name in observers
        for frame in frames[name]
        if frame["event"] != "pusher:ping"  # only the clock sends it
        and (name in CUSTOMERS or (ticket is not None and str(ticket.uuid) in json.dumps(frame)))
    ]
