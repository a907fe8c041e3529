"""The example of docs/new-event.md, as it stands there."""

import re

import pytest

from realtime.broadcasting import history
from tests.support.servers.instances import TOP
from tickets import signals


@pytest.fixture
def example():
    """The names that the page defines; its receivers leave with the signal."""
    blocks = re.findall(r"```python\n(.*?)```", (TOP / "docs/new-event.md").read_text(), re.DOTALL)
    names = {"__name__": "tests.new_event"}
    for block in blocks:
        exec(block, names)
    return names


def test_page_adds_an_event_for_staff_and_no_gap_for_customers(cast, example, capsys):
    start = history.current_cursor()
    example["praise"](cast.ticket, by=cast.casey)
    cast.reply(cast.bao, "You are welcome")
    channel = cast.ticket.channel
    praised, reply = history.read(cast.bao, [channel], start).events
    assert praised["event"] == "ticket.praised"
    assert praised["data"]["praised_by"]["name"] == "Casey Rivers"
    assert reply["data"]["seq"] == praised["data"]["seq"] + 1
    (seen,) = history.read(cast.casey, [channel], start).events
    assert (seen["event"], seen["data"]["seq"]) == ("ticket.reply.created", 2)
    assert f"praised {cast.ticket.reference}" in capsys.readouterr().out
    assert not hasattr(signals, "ticket_praised")


def test_page_adds_a_channel_for_staff(cast, example):
    wall = example["wall"]
    parts = wall.match("private-praise.1")
    assert [wall.authorize(user, [parts])[0] for user in (cast.bao, cast.casey)] == [example["Audience"].STAFF, None]
