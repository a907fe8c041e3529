"""A server that cannot begin says so in a sentence, and leaves nothing behind."""

import asyncio
import socket

import pytest

from realtime.serving import child
from realtime.serving.child import StartFailed
from realtime.serving.supervisor import Plan, Supervisor


def test_a_process_that_ends_before_it_serves_ends_the_start(monkeypatch):
    monkeypatch.setattr(child.sys, "executable", "/bin/false")

    async def run(listener):
        await Supervisor([listener], Plan(sockets=2, pages=0, drain=0)).run(lambda: pytest.fail("It does not serve."))

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(StartFailed, match="ended before it served"),
    ):
        asyncio.run(run(listener))
