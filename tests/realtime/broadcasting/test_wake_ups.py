"""Where no layer connects the processes, a pipe beside the SQLite database wakes the log tailers of the others."""

import os
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from realtime.broadcasting import channel_layer, wake_ups
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pipes(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have pipes in a folder, and tailers that never look by themselves; events of this process as if of another."""
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    monkeypatch.setattr(wake_ups, "folder", lambda: tmp_path / "servers")

    async def swallow(*_: Any) -> None:
        return

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", swallow)
    return tmp_path / "servers"


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_event_of_another_process_is_delivered_at_once(
    live_cast: Cast, pipes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    monkeypatch.setattr(wake_ups, "_own", set())
    for text in ("One", "Two", "Three"):
        await do(live_cast.reply, live_cast.bao, text)
        assert (await casey.event("ticket.reply.created"))["reply"]["message"] == text


async def test_process_does_not_wake_itself(live_cast: Cast, pipes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    monkeypatch.setattr(wake_ups, "_write", written.append)
    await subscribe(live_cast.casey, live_cast.ticket.channel)
    [mine] = inside(pipes)
    other = pipes / "other.pipe"
    os.mkfifo(other)
    await do(live_cast.reply, live_cast.bao, "One")
    assert set(written) == {other}
    assert mine != other


async def test_pipe_is_removed_with_its_process(live_cast: Cast, pipes: Path) -> None:
    await subscribe(live_cast.casey, live_cast.ticket.channel)
    assert len(inside(pipes)) == 1
    await hub.here().close()
    assert inside(pipes) == []


def test_pipe_of_a_killed_process_is_removed_and_one_that_is_full_stays(pipes: Path) -> None:
    pipes.mkdir()
    killed, full = pipes / "killed.pipe", pipes / "full.pipe"
    os.mkfifo(killed)
    os.mkfifo(full)
    reader = os.open(full, os.O_RDWR | os.O_NONBLOCK)
    os.write(reader, b"\n" * 1_000_000)  # as much as it takes
    with pytest.raises(BlockingIOError):
        os.write(reader, b"\n")
    wake_ups.send()
    assert inside(pipes) == [full]
    os.close(reader)


async def test_server_without_a_writable_folder_still_serves(
    live_cast: Cast, pipes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await do(pipes.touch)
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    assert "wake-up pipe unavailable" in caplog.text
    await do(live_cast.reply, live_cast.bao, "Later")
    await hub.here().log_tailer.read()
    assert (await casey.event("ticket.reply.created"))["reply"]["message"] == "Later"


@pytest.mark.django_db
def test_no_pipes_where_a_layer_connects_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_ups.connection, "is_in_memory_db", lambda: False, raising=False)
    if wake_ups.connection.vendor == "sqlite":
        assert str(wake_ups.folder()).endswith("-servers")
    monkeypatch.setattr(channel_layer, "reaches_every_process", lambda: True)
    assert wake_ups.folder() is None
