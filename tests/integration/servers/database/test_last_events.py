"""A client that missed nothing according to the socket has missed nothing, in any commit order."""

from contextlib import AbstractContextManager

import pytest

from tests.integration.servers.database.concurrent_transactions import open_transaction
from tests.support.page_model import PageSimulation
from tests.support.sockets import do
from tickets import services


class BusyGame(PageSimulation):
    """Dana replies to another ticket of Casey's, in transactions that stay open while others commit."""

    def __init__(self, cast, seed, monkeypatch):
        super().__init__(cast, seed, monkeypatch)
        self.moves += [self.begin, self.commit]
        self.other = services.open_ticket(by=cast.casey, subject="Also", content="This", office=cast.billing)
        self.open: tuple[str, AbstractContextManager[None]] | None = None

    async def begin(self):
        if self.open is None:
            message = f"Long {self.random.random()}"
            held = open_transaction(services.add_reply, self.other, by=self.cast.dana, message=message)
            await do(held.__enter__)
            self.open = message, held

    async def commit(self):
        if self.open is not None:
            message, held = self.open
            self.open = None
            await do(held.__exit__, None, None, None)
            self.sent.append(message)

    async def play(self, moves):
        await super().play(moves)
        await self.commit()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(4))
async def test_page_misses_no_reply_in_any_sequence_of_events(live_cast, seed, monkeypatch):
    game = await do(BusyGame, live_cast, seed, monkeypatch)
    await game.play(60)
    assert {True, False} == set(game.answers)
