"""`realtime_status` prints connections, channels, rates and the last event."""

import json
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from realtime.management.commands import realtime_status
from realtime.models import WebhookEvent, WebhookReceiver
from realtime.presence.database_store import DatabasePresenceStore
from realtime.presence.store import Occupancy, ProcessReport
from realtime.protocol import Member
from realtime.utils.circuit_breaker import ServiceUnavailable
from tests.support.cast import Cast
from tickets import services

pytestmark = pytest.mark.django_db
STARTED = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def status(*args: str, out: StringIO | None = None) -> str:
    out = out or StringIO()
    call_command("realtime_status", *args, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, and users on three channels."""
    reports = [
        ProcessReport("one:1:a", STARTED, 3, 2, 7, 12.5, 1.0),
        ProcessReport("two:2:b", STARTED + 60, 1, 1, 1, 0.0, 0.5),
    ]
    named = {f"{number}": Member(f"{number}", {"name": f"Person {number}"}) for number in range(7)}
    channels = {
        "presence-office.1": Occupancy(9, named),
        "presence-room": Occupancy(1, {"7": Member(7)}),
        "private-office.1": Occupancy(3),
    }
    monkeypatch.setattr(DatabasePresenceStore, "processes", staticmethod(lambda: reports))
    monkeypatch.setattr(DatabasePresenceStore, "occupied", staticmethod(lambda prefix="": channels))


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Press Ctrl-C after two refreshes."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(realtime_status.time, "sleep", wait)
    return waits


def test_idle_server_is_shown() -> None:
    assert status().splitlines() == [
        "0 connections, 0 subscriptions",
        "0 frames/s sent, 0 frames/s received",
        "log: no events",
        "",
        "No server processes.",
    ]


def test_processes_channels_and_members_are_shown(busy: None, cast: Cast) -> None:
    lines = status().splitlines()
    assert lines[:2] == ["4 connections, 8 subscriptions", "12.5 frames/s sent, 1.5 frames/s received"]
    assert lines[4:7] == [
        "process  since                connections  users  subscriptions  sent/s  received/s",
        "one:1:a  2023-11-14 22:13:20  3            2      7              12.5    1.0",
        "two:2:b  2023-11-14 22:14:20  1            1      1              0.0     0.5",
    ]
    assert lines[8:] == [
        "channel            subscriptions  members",
        "presence-office.1  9              Person 0, Person 1, Person 2, Person 3, Person 4 and 2 more",
        "presence-room      1              7",
        "private-office.1   3",
    ]


def test_last_event_is_shown(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.priority("High")})
    (line,) = [line for line in status().splitlines() if line.startswith("log: ")]
    assert line.startswith("log: last ticket.updated, ")
    assert line.endswith(" s ago")


def test_waiting_webhook_events_are_counted(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "WEBHOOKS": ("https://hooks.example/hook",)}
    assert "; 0 webhook events waiting" in status()
    receiver = WebhookReceiver.objects.create(url="https://hooks.example/hook")
    WebhookEvent.objects.create(receiver=receiver, payload="{}")
    assert "; 1 webhook event waiting\n" in status()
    WebhookEvent.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    age = re.search(r", the oldest for ([0-9.]+) s: check the receivers, and the worker", status())
    assert float(age[1]) >= 60
    WebhookEvent.objects.update(failed_delivery="7")
    assert "; 0 webhook events waiting\n" in status()


def test_status_is_available_as_json(busy: None) -> None:
    found = json.loads(status("--json"))
    assert (found["sockets"], found["subscriptions"], found["sent"]) == (4, 8, 12.5)
    assert found["processes"][0]["name"] == "one:1:a"
    assert found["channels"]["presence-room"] == {"subscriptions": 1, "members": {"7": {"id": 7, "info": None}}}


def test_watch_refreshes_every_second_until_interrupted(busy: None, sleeps: list[float]) -> None:
    drawn = status("--watch", out=Terminal())
    assert drawn.count("\x1b[2J\x1b[H4 connections") == 2
    assert sleeps == [1.0, 1.0]


def test_redirected_output_has_no_control_characters(busy: None, sleeps: list[float]) -> None:
    assert "\x1b" not in status("--watch")
    sleeps.clear()
    assert [json.loads(line)["sockets"] for line in status("--watch", "--json").splitlines()] == [4, 4]


def unavailable(*_: Any) -> Any:
    raise ServiceUnavailable("Connection refused.")


def test_unavailable_store_is_reported_and_watch_continues(
    monkeypatch: pytest.MonkeyPatch, sleeps: list[float]
) -> None:
    monkeypatch.setattr(DatabasePresenceStore, "processes", staticmethod(unavailable))
    with pytest.raises(CommandError, match=r"The status is unavailable: Connection refused\."):
        status()
    assert status("--watch").count("The status is unavailable: Connection refused.") == 2
