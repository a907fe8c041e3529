"""Events of one transaction arrive in order, whatever the number of their channels."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from realtime.broadcasting.events import Event, ForChannel
from realtime.broadcasting.publish import publish
from realtime.channels import Audience
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe


@dataclass(frozen=True)
class Word(Event):
    """An event with a number, on some channels."""

    broadcast_as = "test.word"
    word: str
    channels: tuple[str, ...]

    def broadcast_on(self) -> list[str | ForChannel]:
        return list(self.channels)

    def broadcast_to(self) -> Audience:
        return Audience.PUBLIC

    def broadcast_guard(self) -> str:
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        return {"word": self.word}


async def test_event_on_one_channel_does_not_overtake_one_on_many(live_cast: Cast) -> None:
    channels = [live_cast.ada.channel, live_cast.ticket.channel, live_cast.orders.channel, live_cast.billing.channel]
    listener = await subscribe(live_cast.ada, channels[0])
    for channel in channels[1:]:
        await listener.subscribe(channel)

    def publish_both() -> None:
        with transaction.atomic():
            publish(Word("first", tuple(channels)))
            publish(Word("second", (channels[-1],)))

    await do(publish_both)
    received = [await listener.event("test.word") for _ in range(5)]
    assert [word["word"] for word in received] == ["first"] * 4 + ["second"]
