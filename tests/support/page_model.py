"""Pages that come and go at any moment, of which none may miss a reply: by the socket, or by the history."""

import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from realtime import protocol
from realtime.broadcasting import dispatcher, history
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.sockets import SocketClient, do, subscribe

REPLY, NOTE = "ticket.reply.created", "A note"


async def ask_missed(page: SocketClient, since: str, *channels: str) -> str | None:
    """Ask what `page` has missed on channels since a cursor; return where to go on if nothing, else None."""
    question = secrets.token_hex(4)
    await page.send(protocol.MISSED, id=question, since=since, channels=channels)
    answer = await page.event(protocol.MISSED)
    assert answer["id"] == question
    go_on_from: str | None = answer["cursor"]
    return go_on_from


@dataclass
class Page:
    """A page of Casey's: the number of replies it showed when rendered, and those received since."""

    socket: SocketClient
    cursor: str
    shown: int
    received: list[str] = field(default_factory=list)

    async def listen_up(self) -> None:
        """Take in everything that was written to its socket."""
        await self.socket.send("pusher:ping")
        while (frame := await self.socket.frame())["event"] != "pusher:pong":
            if frame["event"] == REPLY:
                self.received.append(frame["data"]["reply"]["message"])

    async def catch_up(self, cast: Cast) -> None:
        """Ask the history."""
        answer = await do(history.read, cast.casey, [cast.casey.channel], self.cursor)
        self.cursor = answer.cursor
        self.received += [each["data"]["reply"]["message"] for each in answer.events if each["event"] == REPLY]


class PageSimulation:
    """Random steps: Bao replies, a page opens or closes, the tailer reads, the layer loses messages."""

    def __init__(self, cast: Cast, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cast, self.random = cast, random.Random(seed)
        self.sent: list[str] = []
        self.answers: list[bool] = []  # to each question, whether nothing was missed
        self.moves: list[Callable[[], Awaitable[None]]] = [
            self.reply, self.reply, self.make, self.make, self.come, self.come, self.come, self.go, self.read,
            self.break_layer,
        ]  # fmt: skip
        self._pages: list[Page] = []
        self._made: list[tuple[str, int]] = []
        self._is_lossy = False
        self._lose_what_is_sent(monkeypatch)

    async def play(self, moves: int) -> None:
        """Make so many moves at random, and let every page go."""
        await self.make()
        for _ in range(moves):
            await self.random.choice(self.moves)()
        while self._pages:
            await self.go()

    async def reply(self) -> None:
        """Have Bao reply, and write a note, of which Casey learns nothing."""
        message = f"Reply {len(self.sent)}"
        await do(self.cast.reply, self.cast.bao, message)
        self.sent.append(message)
        await do(self.cast.reply, self.cast.bao, NOTE, internal=True)

    async def make(self) -> None:
        """Render a page, with the cursor of this moment."""
        self._made.append((await do(history.current_cursor), len(self.sent)))

    async def come(self) -> None:
        """Open the socket of a page that was made some time ago; it asks the history if it may have missed any."""
        since, shown = self.random.choice(self._made[-3:])
        page = Page(await subscribe(self.cast.casey, self.cast.casey.channel), since, shown)
        go_on_from = await ask_missed(page.socket, since, self.cast.casey.channel)
        self.answers.append(go_on_from is not None)
        if go_on_from is None:
            await page.catch_up(self.cast)
        page.cursor = go_on_from or page.cursor
        self._pages.append(page)

    async def go(self) -> None:
        """Close a page after it received everything, or cut it off and read the history."""
        if not self._pages:
            return
        page = self._pages.pop(self.random.randrange(len(self._pages)))
        if is_cut := self.random.random() < 0.5:
            await page.listen_up()
            await page.catch_up(self.cast)
        else:
            await hub.here().log_tailer.read()
            await page.listen_up()
        assert set(self.sent[page.shown :]) <= set(page.received), f"cut off: {is_cut}"
        assert NOTE not in page.received
        await page.socket.close()

    async def read(self) -> None:
        """Have the log tailer read."""
        await hub.here().log_tailer.read()

    async def break_layer(self) -> None:
        """Have the layer lose everything from now on, or nothing any more."""
        self._is_lossy = not self._is_lossy

    def _lose_what_is_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        send = dispatcher._send_batches

        async def send_or_lose(messages: list[dispatcher.Message]) -> None:
            if not self._is_lossy:
                await send(messages)

        monkeypatch.setattr(dispatcher, "_send_batches", send_or_lose)
