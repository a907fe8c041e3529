"""`channels` lists the patterns and explains whether a user may subscribe."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import User
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


def channels(*args: str) -> tuple[str, int]:
    """Return what was printed, and the exit status."""
    out = StringIO()
    try:
        call_command("channels", *args, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def ask(cast: Cast, name: str, channel: str) -> tuple[list[str], int]:
    out, status = channels(channel, "--as", f"{name}@example.com")
    return out.splitlines(), status


def test_all_patterns_are_listed_with_their_rules() -> None:
    out, _ = channels()
    lines = out.splitlines()
    start = lines.index("private-tickets.<uuid:ticket_uuid>")
    assert lines[start + 1 : start + 4] == [
        "    type           private",
        "    rule           tickets.policies.authorize_ticket",
        "                   Allow users who may open the ticket; its staff also receive internal notes.",
    ]
    assert "private-user.<uuid:user_id>" in lines


def test_list_is_available_as_json() -> None:
    patterns = {each["pattern"]: each for each in json.loads(channels("--json")[0])}
    office = patterns["private-office.<int:office_id>"]
    assert (office["type"], office["rule"]) == ("private", "accounts.policies.authorize_office")


def test_each_channel_type_is_named(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "CHANNELS": "tests.support.channel_patterns"}
    types = {each["pattern"]: each["type"] for each in json.loads(channels("--json")[0])}
    assert types["news"] == "public"
    assert types["cache-weather"] == "public cache"
    assert types["private-cache-forecast"] == "private cache"
    assert types["private-encrypted-vault"] == "private encrypted"
    assert types["presence-room.<slug:name>"] == "presence"
    out, _ = channels()
    assert "    client events  client-*" in out.splitlines()


def test_public_channel_is_open_to_all(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "CHANNELS": "tests.support.channel_patterns"}
    out, status = channels("news")
    assert out.startswith("Yes: an anonymous user may subscribe to news (audience: public).")
    assert status == 0


def test_presence_channel_shows_the_member_name(cast: Cast) -> None:
    channel = cast.ticket.channel.replace("private-", "presence-")
    assert ask(cast, "bao", channel)[0][-1] == "Other members see: Bao Nguyen."
    User.objects.filter(pk=cast.dana.pk).update(hides_online=True)
    assert ask(cast, "dana", channel)[0][-1] == "Hidden from other members."
    lines, status = ask(cast, "casey", channel)
    assert lines[-1].startswith("The rule tickets.policies.authorize_ticket_staff refuses it: ")
    assert status == 1


@pytest.mark.parametrize(("name", "audience"), [("bao", "staff"), ("casey", "public")])
def test_authorized_user_and_audience_are_shown(cast: Cast, name: str, audience: str) -> None:
    user = getattr(cast, name)
    lines, status = ask(cast, name, cast.ticket.channel)
    assert lines == [
        f"Yes: {user.name} may subscribe to {cast.ticket.channel} (audience: {audience}).",
        "The name matches private-tickets.<uuid:ticket_uuid>.",
        "The rule tickets.policies.authorize_ticket allows it: "
        "Allow users who may open the ticket; its staff also receive internal notes.",
    ]
    assert status == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("greta", "The rule tickets.policies.authorize_ticket refuses it: Allow users who may open the ticket; "),
        ("hiro", "The account is inactive."),
    ],
)
def test_refused_user_and_reason_are_shown(cast: Cast, name: str, reason: str) -> None:
    lines, status = ask(cast, name, cast.ticket.channel)
    assert lines[0] == f"No: {getattr(cast, name).name} may not subscribe to {cast.ticket.channel}."
    assert lines[-1].startswith(reason)
    assert status == 1


def test_anonymous_user_is_refused_on_private_channels(cast: Cast) -> None:
    out, status = channels(cast.ticket.channel)
    assert out.startswith("No: an anonymous user may not subscribe to private-tickets.")
    assert "The channel is not public and the user is anonymous." in out
    assert status == 1


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("private-nothing.7", "No pattern matches this name; `manage.py channels` lists them."),
        ("tickets.7", "No pattern matches this name"),
        ("private-\x1b[2J", "A channel name must have 1 to 164 of: A-Z a-z 0-9"),
    ],
)
def test_unknown_channel_name_is_explained(cast: Cast, channel: str, reason: str) -> None:
    lines, status = ask(cast, "bao", channel)
    assert lines[1].startswith(reason)
    assert "\x1b" not in lines[0]
    assert status == 1


def test_explanation_is_available_as_json(cast: Cast) -> None:
    out, status = channels(cast.ticket.channel, "--as", "greta@example.com", "--json")
    answer = json.loads(out)
    assert (answer["allowed"], answer["audience"], answer["user"]) == (False, None, "Greta Lindqvist")
    assert answer["rule"] == "tickets.policies.authorize_ticket"
    assert status == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["private-office.1", "--as", "unknown@example.com"], "There is no user unknown@example.com."),
        (["--as", "bao@example.com"], "--as needs a channel"),
    ],
)
def test_invalid_arguments_are_errors(cast: Cast, args: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        channels(*args)
