"""A server that cannot begin says so in a sentence, and leaves nothing behind."""

import asyncio
import socket

import pytest

from realtime.serving import child
from realtime.serving.child import StartFailed
from realtime.serving.supervisor import Plan, Supervisor
from tests.support.sockets import until


def test_a_process_that_ends_before_it_serves_ends_the_start(monkeypatch):
    monkeypatch.setattr(child.sys, "executable", "/bin/false")

    async def run(listener):
        await Supervisor([listener], Plan(sockets=2, pages=0, drain=0)).run(lambda: pytest.fail("It does not serve."))

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(StartFailed, match="ended before it served"),
    ):
        asyncio.run(run(listener))


async def test_a_process_that_is_given_up_before_it_serves_leaves_nothing_open(monkeypatch, tmp_path):
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(silent))
    process = child.Child("sockets", [])
    starting = asyncio.create_task(process.start())
    await until(lambda: hasattr(process, "process"))
    starting.cancel()
    await process.end(0)
    assert process.process.returncode is not None
    assert process._lifeline.fileno() == -1
