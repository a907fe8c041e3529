"""From a ticket back to its list, to the tickets beside it, and on after a reply."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import services
from tickets.models import Ticket

WAITING = "status=waiting"


@pytest.fixture
def row(cast: Cast) -> list[Ticket]:
    """Three tickets that wait for staff, the longest waiting first."""
    asked = [
        services.open_ticket(by=cast.casey, subject=f"{number}", content="x", office=cast.billing)
        for number in range(2)
    ]
    services.open_ticket(by=cast.casey, subject="Elsewhere", content="x", office=cast.orders)
    return [cast.ticket, *asked]


def signed_in(user: User, after_sending: str = "stay") -> Client:
    User.objects.filter(pk=user.pk).update(after_sending=after_sending)
    client = Client()
    client.force_login(user)
    return client


def place(client: Client, ticket: Ticket, query: str = WAITING) -> Any:
    return client.get(f"{ticket.get_absolute_url()}?{urlencode({'list': query})}").context["place"]


def address(ticket: Ticket, query: str = WAITING) -> str:
    return f"{ticket.get_absolute_url()}?{urlencode({'list': query})}"


def send(client: Client, ticket: Ticket, **form: str) -> str:
    sent = {"message": "Done.", "list": WAITING, **form}
    response = client.post(f"/tickets/{ticket.uuid}/replies/", sent)
    assert response.status_code == 302
    return response["Location"]


def test_ticket_names_its_neighbours_in_the_lists_order(cast: Cast, row: list[Ticket]) -> None:
    bao = signed_in(cast.bao)
    places = [place(bao, ticket) for ticket in row]
    assert [found.previous_url for found in places] == ["", address(row[0]), address(row[1])]
    assert [found.next_url for found in places] == [address(row[1]), address(row[2]), ""]
    assert place(bao, row[0], "").previous_url == address(row[1], "")  # the default list: latest change first
    assert places[0].list_url == f"/tickets/?{WAITING}"


def test_list_links_to_tickets_with_its_filter_and_without_its_page(cast: Cast, row: list[Ticket]) -> None:
    listed = signed_in(cast.bao).get("/tickets/?status=waiting&after=x&assignee=none")
    assert f'href="{row[0].get_absolute_url()}?list=status%3Dwaiting%26assignee%3Dnone"' in listed.text
    assert "?list=" not in signed_in(cast.casey).get("/tickets/").text


def test_neighbours_are_only_tickets_that_the_user_may_open(cast: Cast, row: list[Ticket]) -> None:
    assert place(signed_in(cast.ada), row[2]).next_url != ""
    assert place(signed_in(cast.bao), row[2]).next_url == ""
    assert place(signed_in(cast.casey), row[0]) is None


def test_ticket_that_left_the_list_keeps_its_neighbours(cast: Cast, row: list[Ticket]) -> None:
    services.add_reply(row[1], by=cast.bao, message="x", status=cast.status("Closed"))
    found = place(signed_in(cast.bao), row[1], "sort=created")
    assert (found.previous_url, found.next_url) == (address(row[0], "sort=created"), address(row[2], "sort=created"))


def test_search_leads_back_but_not_on(cast: Cast, row: list[Ticket]) -> None:
    found = place(signed_in(cast.bao), row[0], "q=Charged")
    assert (found.list_url, found.previous_url, found.next_url) == ("/tickets/?q=Charged", "", "")


@pytest.mark.parametrize("query", ["status=nonsense&priority=x", "%%%=&&=", "after=x", "q=" + "word+" * 300])
def test_malformed_list_leads_to_a_list(cast: Cast, row: list[Ticket], query: str) -> None:
    bao = signed_in(cast.bao)
    assert bao.get(place(bao, row[0], query).list_url).status_code == 200


def test_reply_leads_where_its_author_prefers(cast: Cast, row: list[Ticket]) -> None:
    assert send(signed_in(cast.bao), row[0]).startswith(f"{row[0].get_absolute_url()}#reply-")
    assert send(signed_in(cast.bao, "list"), row[0], then="close") == f"/tickets/?{WAITING}"
    assert send(signed_in(cast.bao, "next"), row[1], then="hold") == address(row[2])
    assert send(signed_in(cast.bao, "next"), row[2]) == f"/tickets/?{WAITING}"  # none is left
    assert send(signed_in(cast.bao, "next"), row[2], internal="on").startswith(row[2].get_absolute_url())


def test_reply_leads_to_the_next_ticket_that_the_page_showed(cast: Cast, row: list[Ticket]) -> None:
    bao = signed_in(cast.bao, "next")
    shown = {"list": "", "next": str(cast.ticket.uuid)}
    cast.reply(cast.casey, "It moves to the top")
    assert send(bao, row[1], **shown) == address(cast.ticket, "")
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("Closed")})
    assert send(bao, row[1], **shown) == address(row[2], "")


def test_reply_to_a_ticket_of_no_list_stays(cast: Cast) -> None:
    client = signed_in(cast.bao, "next")
    sent = client.post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": "Done."})
    assert sent["Location"].startswith(f"{cast.ticket.get_absolute_url()}#reply-")


def test_scripts_receive_where_a_reply_leads(cast: Cast, row: list[Ticket]) -> None:
    client = signed_in(cast.bao, "list")
    form = {"message": "Done.", "list": WAITING}
    sent = client.post(f"/tickets/{cast.ticket.uuid}/replies/", form, HTTP_ACCEPT="application/json")
    assert sent.json()["following"] == f"/tickets/?{WAITING}"
    assert "Your reply to" in client.get("/tickets/").text


@pytest.mark.parametrize(("name", "saved"), [("bao", "next"), ("casey", "stay")])
def test_only_staff_choose_where_a_reply_leads(cast: Cast, name: str, saved: str) -> None:
    user = getattr(cast, name)
    client = signed_in(user)
    assert ("after_sending" in client.get("/profile/").text) == (name == "bao")
    client.post("/profile/", {"name": user.name, "language": "", "time_zone": "", "after_sending": "next"})
    assert User.objects.get(pk=user.pk).after_sending == saved
