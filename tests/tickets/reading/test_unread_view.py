"""The view "Unread" of the list: the tickets whose rows show it, latest first, and their number."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.support.cast import Cast
from tickets import counts, reading, services
from tickets.models import Status, Ticket

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def listed(user: User, query: str = "?status=unread") -> list[str]:
    """Return the subjects that the list shows."""
    rows = signed_in(user).get(f"/tickets/{query}").context["rows"]
    assert all(row["is_unread"] for row in rows)
    return [row["ticket"]["subject"] for row in rows]


def number(user: User) -> int:
    return counts.counts(user, list(Status.objects.all()))["unread"]


def opened(cast: Cast, subject: str) -> Ticket:
    return services.open_ticket(by=cast.greta, subject=subject, content="x", office=cast.billing)


def read(ticket: Ticket, by: User) -> None:
    reading.mark_read(ticket, by=by, up_to=ticket.replies.order_by("number").last())


def test_staff_list_open_tickets_that_they_have_not_read(cast: Cast) -> None:
    later, closed = opened(cast, "Later"), opened(cast, "Closed")
    services.open_ticket(by=cast.greta, subject="Of others", content="x", office=cast.orders)
    services.update_ticket(closed, by=cast.dana, values={"status": cast.status("Closed")})
    assert listed(cast.bao) == ["Later", "Charged twice"]
    assert number(cast.bao) == 2
    read(later, cast.bao)
    assert (listed(cast.bao), number(cast.bao)) == (["Charged twice"], 1)
    services.add_reply(later, by=cast.bao, message="Mine")
    assert listed(cast.bao) == ["Charged twice"]
    services.add_reply(later, by=cast.dana, message="A note", internal=True)
    assert listed(cast.bao) == ["Later", "Charged twice"]
    reading.mark_unread(cast.ticket, by=cast.bao)
    assert number(cast.bao) == 2


def test_customers_list_their_own_tickets_also_when_a_last_reply_closed_them(cast: Cast) -> None:
    ticket = opened(cast, "Refund")
    assert (listed(cast.greta), number(cast.greta)) == ([], 0)
    services.add_reply(ticket, by=cast.bao, message="A note", internal=True)
    assert (listed(cast.greta), number(cast.greta)) == ([], 0)
    services.add_reply(ticket, by=cast.bao, message="Done.")
    services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("Closed")})
    assert (listed(cast.greta), number(cast.greta)) == (["Refund"], 1)
    assert reading.unread_number(cast.greta) == 1
    read(ticket, cast.greta)
    assert (listed(cast.greta), number(cast.greta)) == ([], 0)


@pytest.mark.parametrize("more", ["&q=charged", "&assignee=none", "&sort=created", "&q=charged&sort=-updated"])
def test_view_combines_with_other_filters(cast: Cast, more: str) -> None:
    assert listed(cast.bao, f"?status=unread{more}") == ["Charged twice"]
    read(cast.ticket, cast.bao)
    assert listed(cast.bao, f"?status=unread{more}") == []


def test_page_and_its_number(cast: Cast) -> None:
    bao = signed_in(cast.bao)
    page = bao.get("/tickets/?status=unread").text
    assert 'data-view="unread"' in page
    assert ('data-mode="place"' in page, 'data-search="true"' in page) == (True, True)
    assert 'data-count="unread">1<' in page
    read(cast.ticket, cast.bao)
    assert bao.get("/tickets/counts/").json()["counts"]["unread"] == 0
    assert "No unread tickets." in bao.get("/tickets/?status=unread").text
    found = bao.get("/tickets/found/", {"status": "unread", "ticket": str(cast.ticket.uuid)})
    assert found.json() == {"tickets": []}
    cast.reply(cast.casey, "Hello?")
    found = bao.get("/tickets/found/", {"status": "unread", "ticket": str(cast.ticket.uuid)})
    assert found.json() == {"tickets": [str(cast.ticket.uuid)]}


def test_api_and_search_operator(cast: Cast) -> None:
    bao = signed_in(cast.bao)
    for query in ("status=unread", "q=status:unread"):
        assert len(bao.get(f"/api/v1/tickets/?{query}").json()["results"]) == 1
    read(cast.ticket, cast.bao)
    for query in ("status=unread", "q=status:unread"):
        assert bao.get(f"/api/v1/tickets/?{query}").json()["results"] == []
        assert len(signed_in(cast.dana).get(f"/api/v1/tickets/?{query}").json()["results"]) == 1


def test_view_needs_no_query_more_than_another(cast: Cast) -> None:
    for user in (cast.bao, cast.casey):
        client = signed_in(user)
        cast.reply(cast.dana, "For all")
        numbers = []
        for view in ("unread", "active", "unread"):
            with CaptureQueriesContext(connection) as captured:
                client.get(f"/tickets/?status={view}")
            numbers.append(len(captured))
        assert numbers[1] == numbers[2]


def test_number_stops_at_the_most(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in ("One", "Two"):
        opened(cast, subject)
    monkeypatch.setattr(counts, "MAX_COUNT", 2)
    counts._unread._compiled.clear()
    assert number(cast.bao) == 2
    counts._unread._compiled.clear()
