"""Pages of a long conversation: the latest replies, earlier and later ones, for each audience."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Office
from tests.support.cast import Cast
from tickets import reading, services
from tickets.models import Reply, Ticket
from tickets.views import changes, reply_pages

pytestmark = pytest.mark.django_db

PAGE_SIZE, AFTERWARDS = 6, 2
SHOWN = re.compile(r'<li id="reply-([0-9a-f-]{36})"')


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reply_pages.PAGE_SIZE == 50
    monkeypatch.setattr(reply_pages, "PAGE_SIZE", PAGE_SIZE)
    monkeypatch.setattr(reply_pages, "AFTER_NAMED", AFTERWARDS)


@pytest.fixture
def casey(cast: Cast) -> Client:
    return signed_in(cast.casey)


@pytest.fixture
def bao(cast: Cast) -> Client:
    return signed_in(cast.bao)


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def converse(cast: Cast, replies: int, *, notes: int = 0) -> list[str]:
    """Add replies, and after each of the first ones a note; return the ids of the replies."""
    ids = []
    for number in range(replies):
        ids.append(str(cast.reply(cast.bao, f"Reply {number}").pk))
        if number < notes:
            cast.reply(cast.bao, f"Note {number}", internal=True)
    if ids:
        reading.mark_read(Ticket.objects.get(), by=cast.casey, up_to=Reply.objects.get(pk=ids[-1]))
    return ids


def shown(client: Client, cast: Cast, query: str = "") -> list[str]:
    response = client.get(cast.ticket.get_absolute_url() + query)
    assert response.status_code == 200
    return SHOWN.findall(response.text)


def cursors(client: Client, cast: Cast, query: str = "") -> Any:
    return client.get(cast.ticket.get_absolute_url() + query).context["page"]


def test_page_shows_the_latest_replies_in_their_order(cast: Cast, casey: Client) -> None:
    ids = converse(cast, PAGE_SIZE + 3)
    assert shown(casey, cast) == ids[3:]


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE - 1, PAGE_SIZE])
def test_short_conversation_is_whole(cast: Cast, casey: Client, count: int) -> None:
    ids = converse(cast, count)
    page = cursors(casey, cast)
    assert (shown(casey, cast), page.earlier, page.later) == (ids, "", "")


def test_all_replies_can_be_reached_without_scripts(cast: Cast, casey: Client) -> None:
    ids = converse(cast, 2 * PAGE_SIZE + 7, notes=4)
    found, query = shown(casey, cast), ""
    while earlier := cursors(casey, cast, query).earlier:
        query = f"?before={earlier}"
        found = shown(casey, cast, query) + found
    assert found == ids
    found = shown(casey, cast, query)
    while later := cursors(casey, cast, query).later:
        query = f"?after={later}"
        found += shown(casey, cast, query)
    assert found == ids


def test_each_audience_has_pages_of_its_own(cast: Cast, casey: Client, bao: Client) -> None:
    converse(cast, PAGE_SIZE, notes=PAGE_SIZE)
    assert len(shown(casey, cast)) == len(shown(bao, cast)) == PAGE_SIZE
    assert cursors(casey, cast).earlier == ""
    earlier = casey.get(f"{cast.ticket.get_absolute_url()}earlier/?before={cursors(bao, cast).earlier}").json()
    assert not [item for item in earlier["thread"] if item["reply"] and item["reply"]["is_internal"]]


def test_earlier_replies_are_returned_as_payloads(cast: Cast, casey: Client, bao: Client) -> None:
    ids = converse(cast, PAGE_SIZE + 5)
    address = f"{cast.ticket.get_absolute_url()}earlier/"
    for client in (casey, bao):
        answer = client.get(f"{address}?before={cursors(client, cast).earlier}")
        assert [item["reply"]["id"] for item in answer.json()["thread"][:-1]] == ids[:5]
        assert answer.json()["earlier"] == ""
        assert "no-store" in answer["Cache-Control"]
    assert "version" in answer.json()["thread"][0]["reply"]
    assert signed_in(cast.fatima).get(address).status_code == 404


def test_position_in_a_cursor_is_not_readable(cast: Cast, casey: Client) -> None:
    converse(cast, PAGE_SIZE + 1)
    first, second = cursors(casey, cast).earlier, cursors(casey, cast).earlier
    assert first != second
    assert len(first) == len(second)


@pytest.mark.parametrize("query", ["?before=x", "?after=x", "?before=", "?reply=x", "?reply=", "?before=%00&after=é"])
def test_unknown_cursor_shows_the_latest_page(cast: Cast, casey: Client, query: str) -> None:
    ids = converse(cast, PAGE_SIZE + 1)
    assert shown(casey, cast, query) == ids[1:]


def test_cursor_of_another_ticket_shows_the_latest_page(cast: Cast, casey: Client) -> None:
    ids = converse(cast, PAGE_SIZE + 1)
    other = services.open_ticket(by=cast.casey, subject="x", content="x", office=cast.billing)
    cursor = cursors(casey, cast).earlier
    services.add_reply(other, by=cast.casey, message="y")
    assert "y</p>" in casey.get(f"{other.get_absolute_url()}?before={cursor}").text
    assert shown(casey, cast) == ids[1:]


@pytest.mark.parametrize("place", [0, 3, PAGE_SIZE - 1, PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE + 6])
def test_link_to_a_reply_shows_its_page(cast: Cast, casey: Client, place: int) -> None:
    ids = converse(cast, 2 * PAGE_SIZE + 7)
    found = shown(casey, cast, f"?reply={ids[place]}")
    assert ids[place] in found
    assert len(found) <= PAGE_SIZE
    if place >= PAGE_SIZE + 7:
        assert found == ids[-PAGE_SIZE:]
    else:
        assert found[-1] == ids[place + AFTERWARDS]


def test_link_to_a_note_shows_nothing_of_it_to_the_customer(cast: Cast, casey: Client) -> None:
    note = cast.reply(cast.bao, "secret", internal=True)
    ids = converse(cast, PAGE_SIZE + 1)
    assert shown(casey, cast, f"?reply={note.pk}") == ids[1:]
    assert shown(casey, cast, "?reply=00000000-0000-4000-8000-000000000000") == ids[1:]


def test_change_of_visibility_returns_to_the_page_of_the_reply(cast: Cast, bao: Client) -> None:
    ids = converse(cast, PAGE_SIZE + 5)
    address = cast.ticket.get_absolute_url()
    response = bao.post(f"{address}visibility/", {"reply": ids[0], "visibility": "internal"})
    assert response["Location"] == f"{address}?reply={ids[0]}#reply-{ids[0]}"
    assert ids[0] in shown(bao, cast, f"?reply={ids[0]}")


def test_long_and_short_conversations_take_as_many_queries(cast: Cast, casey: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            casey.get(cast.ticket.get_absolute_url())
        return len(captured)

    converse(cast, 2)
    queries()
    short = queries()
    converse(cast, PAGE_SIZE + 5)
    assert queries() == short


def test_activity_of_a_long_ticket_is_cut(cast: Cast, casey: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_ACTIVITY", 3)
    address = cast.ticket.get_absolute_url()
    converse(cast, 1)
    for name in ("Closed", "Open"):
        change_status(cast, name)
    assert "Earlier activity" not in casey.get(address).text
    change_status(cast, "Closed")
    response = casey.get(address)
    assert "Earlier activity" in response.text
    # Messages stand in the conversation.
    assert [entry["action"] for entry in response.context["timeline"]] == ["status"] * 3
    assert len(changes_between(response)[1]) == 3


def change(cast: Cast, **values: Any) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values=values)


def change_status(cast: Cast, name: str) -> None:
    change(cast, status=cast.status(name))


def changes_between(response: Any) -> list[list[str]]:
    """Return the actions before each reply of a page, and after the last one."""
    return [[line["action"] for line in item["changes"]] for item in response.context["thread"]]


def test_changes_stand_between_the_replies_of_their_time(cast: Cast, casey: Client, bao: Client) -> None:
    address = cast.ticket.get_absolute_url()
    change_status(cast, "On Hold")
    converse(cast, 2)
    change_status(cast, "Open")
    change(cast, assigned_to=cast.dana)
    converse(cast, PAGE_SIZE)
    change_status(cast, "Closed")
    latest, early = bao.get(address), bao.get(f"{address}?before={cursors(bao, cast).earlier}")
    between = changes_between(latest)
    assert between[-1] == ["status"]
    assert not any(between[:-1])
    assert changes_between(early) == [["status"], [], ["status", "assigned_to"]]
    answer = bao.get(f"{address}earlier/?before={cursors(bao, cast).earlier}").json()
    assert [len(item["changes"]) for item in answer["thread"]] == [1, 0, 2]


def test_customers_see_no_change_that_is_internal(cast: Cast, casey: Client, bao: Client) -> None:
    change(cast, office=cast.fraud)
    change_status(cast, "On Hold")
    address = cast.ticket.get_absolute_url()
    assert changes_between(signed_in(cast.ada).get(address)) == [["office", "status"]]
    page = casey.get(address)
    assert "Fraud Desk" not in page.text
    change(cast, office=Office.objects.create(name="Risk", is_internal=True))
    assert "Risk" not in casey.get(address).text
    assert changes_between(signed_in(cast.ada).get(address)) == [["office", "status", "office"]]
    assert changes_between(casey.get(address)) == changes_between(page) == [["office", "status"]]


def test_pages_of_a_conversation_have_a_rate(cast: Cast, casey: Client, settings: Settings) -> None:
    settings.ACTION_RATES = settings.ACTION_RATES | {"read": "2/minute"}
    address = cast.ticket.get_absolute_url()
    codes = [casey.get(address).status_code, *(casey.get(f"{address}earlier/").status_code for _number in range(2))]
    assert codes == [200, 200, 429]
