"""The commands `demo` and `broadcast`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from realtime.broadcasting import history
from tests.support.cast import Cast
from tickets.models import Ticket


def broadcast(*args: str) -> str:
    out = StringIO()
    call_command("broadcast", *args, "--wait", "0", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_demo_data_has_three_accounts(settings: Settings, client: Client) -> None:
    settings.DEBUG = True
    out = StringIO()
    call_command("demo", tickets=8, stdout=out)
    for email in ("admin@example.com", "agent@example.com", "customer@example.com"):
        assert email in out.getvalue()
        assert client.login(email=email, password="password")
        assert client.get("/tickets/").status_code == 200
    assert Ticket.objects.count() == 8


@pytest.mark.django_db
def test_demo_data_is_not_added_to_a_database_with_users(cast: Cast, settings: Settings) -> None:
    settings.DEBUG = True
    before = User.objects.count()
    with pytest.raises(CommandError, match="needs an empty one"):
        call_command("demo")
    call_command("demo", "--if-empty", stdout=StringIO())
    assert User.objects.count() == before


@pytest.mark.django_db
def test_demo_data_is_refused_in_production(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("demo")
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["ticket.updated", "ticket.status.changed", "ticket.reply.created"])
def test_test_event_is_broadcast_and_changes_nothing(cast: Cast, name: str) -> None:
    reply = cast.reply(cast.bao, "Answer")
    before, start = Ticket.objects.values().get(), history.current_cursor()
    where = ["--reply", str(reply.pk)] if "reply" in name else ["--ticket", str(cast.ticket.uuid)]
    out = broadcast(name, *where)
    (event,) = history.read(cast.casey, [cast.ticket.channel], start).events
    assert (event["event"], event["data"]["test"]) == (name, True)
    assert "seq" not in event["data"]
    assert cast.ticket.channel in out
    assert event["data"]["event_id"] in out
    assert "0 sockets received the event from 0 processes." in out
    assert Ticket.objects.values().get() == before


def test_test_event_for_a_note_reaches_staff_only(cast: Cast) -> None:
    note = cast.reply(cast.bao, "Note", internal=True)
    start = history.current_cursor()
    broadcast("ticket.reply.created", "--reply", str(note.pk))
    assert history.read(cast.casey, [cast.ticket.channel], start).events == []
    assert len(history.read(cast.bao, [cast.ticket.channel], start).events) == 1


def test_test_event_names_actor_and_changes(cast: Cast) -> None:
    start, ticket = history.current_cursor(), str(cast.ticket.uuid)
    broadcast("ticket.updated", "--ticket", ticket, "--by", "BAO@example.com", "--change", "test=websocket")
    (event,) = history.read(cast.casey, [cast.ticket.channel], start).events
    assert event["data"]["changes"] == {"test": {"from": None, "to": "websocket"}}
    assert event["data"]["updated_by"]["name"] == "Bao Nguyen"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["ticket.updated", "--ticket", "nonsense"], "No ticket nonsense found"),
        (["ticket.reply.created"], "No reply None found"),
        (
            ["ticket.updated", "--ticket", "{uuid}", "--by", "ghost@example.com"],
            "No user ghost@example.com found",
        ),
        (["ticket.updated", "--ticket", "{uuid}", "--change", "nonsense"], "FIELD=VALUE"),
        (["ticket.status.changed", "--ticket", "{uuid}", "--to", "Nowhere"], "No status Nowhere found"),
    ],
)
def test_invalid_arguments_are_named(cast: Cast, args: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        broadcast(*(arg.format(uuid=cast.ticket.uuid) for arg in args))
