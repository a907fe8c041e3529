"""Related tickets: who links them, who sees the link, and how it ends."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import policies, services
from tickets.links import services as links
from tickets.models import Ticket, TicketLink, TimelineEntry
from tickets.people.participants import add_participant
from tickets.privacy.erasure import erase_person

pytestmark = pytest.mark.django_db
UNKNOWN = "None of the tickets that you can change has this reference."


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def other(cast: Cast) -> Ticket:
    """A second ticket in Billing, of Greta's."""
    return services.open_ticket(by=cast.greta, subject="Refund is late", content="Where?", office=cast.billing)


@pytest.fixture
def hidden(cast: Cast) -> Ticket:
    """A ticket in Orders, which Billing does not see."""
    return services.open_ticket(by=cast.greta, subject="Kryptonite", content="Where?", office=cast.orders)


def related(user: User, ticket: Ticket) -> list[Ticket]:
    return list(policies.linked_tickets(user, ticket))


def test_link_is_seen_from_both_tickets_whichever_was_first(cast: Cast, other: Ticket, hidden: Ticket) -> None:
    links.link_tickets(other, cast.ticket, by=cast.bao)
    links.link_tickets(cast.ticket, hidden, by=cast.ada)
    assert related(cast.dana, cast.ticket) == [other]
    assert related(cast.dana, other) == [cast.ticket]
    assert related(cast.ada, cast.ticket) == [hidden, other]
    assert related(cast.ada, hidden) == [cast.ticket]
    assert {link.created_by for link in TicketLink.objects.all()} == {cast.bao, cast.ada}


@pytest.mark.parametrize("turn", [1, -1])
def test_second_link_and_link_to_itself_are_refused(cast: Cast, other: Ticket, turn: int) -> None:
    links.link_tickets(cast.ticket, other, by=cast.bao)
    with pytest.raises(ValidationError, match="already linked"):
        links.link_tickets(*(cast.ticket, other)[::turn], by=cast.bao)
    with pytest.raises(ValidationError, match="the ticket itself"):
        links.link_named_ticket(cast.ticket, cast.ticket.reference, by=cast.bao)
    first, second = sorted((cast.ticket, other), key=lambda ticket: ticket.pk)
    for pair in ((first, second), (second, first), (first, first)):
        with pytest.raises(IntegrityError), transaction.atomic():
            TicketLink.objects.create(first=pair[0], second=pair[1], created_by=cast.bao)
    assert TicketLink.objects.count() == 1


def test_reference_in_any_spelling_or_an_address_names_the_ticket(cast: Cast, other: Ticket) -> None:
    address = f"https://desk.example.com{other.get_absolute_url()}"
    for typed in (
        other.reference,
        f" #{other.reference.replace('-', '').lower()} ",
        address,
        f"{address}?latest#end",
    ):
        assert links.link_named_ticket(cast.ticket, typed, by=cast.bao) == other
        assert links.unlink_tickets(cast.ticket, other, by=cast.bao)


def test_invisible_ticket_is_refused_as_an_unknown_one(cast: Cast, hidden: Ticket) -> None:
    baos = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    page = f"{cast.ticket.get_absolute_url()}links/add/"
    answers = set()
    for typed in ("ZZZ-ZZZZ", "no reference", hidden.reference, hidden.get_absolute_url(), baos.reference):
        response = signed_in(cast.bao).post(page, {"ticket": typed}, headers={"Accept": "application/json"})
        api = ApiClient(cast.bao).post(f"tickets/{cast.ticket.uuid}/links/", {"ticket": typed})
        answers.add((response.status_code, response.text, api.status_code, api.text))
    ((status, text, *_api),) = answers
    assert (status, UNKNOWN in text) == (422, True)
    assert not TicketLink.objects.exists()


@pytest.mark.parametrize("name", ["casey", "greta", "emil", "hiro"])
def test_others_than_staff_of_both_tickets_change_no_links(cast: Cast, other: Ticket, name: str) -> None:
    person = getattr(cast, name)
    for change in (
        lambda: links.link_tickets(cast.ticket, other, by=person),
        lambda: links.link_named_ticket(cast.ticket, other.reference, by=person),
        lambda: links.unlink_tickets(cast.ticket, other, by=person),
    ):
        with pytest.raises(PermissionDenied):
            change()
    assert not TicketLink.objects.exists()


def test_agent_does_not_remove_a_link_that_they_do_not_see(cast: Cast, hidden: Ticket) -> None:
    links.link_tickets(cast.ticket, hidden, by=cast.ada)
    page = f"{cast.ticket.get_absolute_url()}links/remove/"
    assert signed_in(cast.bao).post(page, {"ticket": str(hidden.uuid)}).status_code == 302
    assert TicketLink.objects.count() == 1
    assert signed_in(cast.ada).post(page, {"ticket": str(hidden.uuid)}).status_code == 302
    assert not TicketLink.objects.exists()


def test_page_shows_related_tickets_to_those_who_see_them(cast: Cast, other: Ticket, hidden: Ticket) -> None:
    for ticket in (other, hidden):
        links.link_tickets(cast.ticket, ticket, by=cast.ada)
    address = cast.ticket.get_absolute_url()
    pages = {name: signed_in(getattr(cast, name)).get(address).text for name in ("ada", "bao", "casey")}
    shown = {name: [ticket.reference in page for ticket in (other, hidden)] for name, page in pages.items()}
    assert shown == {"ada": [True, True], "bao": [True, False], "casey": [False, False]}
    assert ["related" in page.lower() for page in pages.values()] == [True, True, False]
    data = signed_in(cast.bao).get(f"{address}links/").json()
    assert [each["reference"] for each in data["related"]] == [other.reference]


def test_page_without_scripts_adds_shows_errors_and_removes(cast: Cast, other: Ticket) -> None:
    bao, address = signed_in(cast.bao), cast.ticket.get_absolute_url()
    assert bao.post(f"{address}links/add/", {"ticket": other.reference}, follow=True).status_code == 200
    for typed, sentence in (
        (other.reference, "These tickets are already linked."),
        ("", "Enter the reference of a ticket, such as K7F-Q2MD."),
        ("ZZZ-ZZZZ", UNKNOWN),
    ):
        page = bao.post(f"{address}links/add/", {"ticket": typed})
        assert (page.status_code, sentence in page.text, f'value="{typed}"' in page.text) == (422, True, True)
    bao.post(f"{address}links/remove/", {"ticket": str(other.uuid)})
    assert related(cast.bao, cast.ticket) == []


def test_timeline_of_both_says_to_staff_who_did_it_and_names_no_ticket(cast: Cast, hidden: Ticket) -> None:
    links.link_tickets(cast.ticket, hidden, by=cast.ada)
    links.unlink_tickets(cast.ticket, hidden, by=cast.ada)
    assert not links.unlink_tickets(cast.ticket, hidden, by=cast.ada)
    for ticket in (cast.ticket, hidden):
        lines = TimelineEntry.objects.filter(ticket=ticket).exclude(action="created")
        assert [(line.action, line.actor, line.public) for line in lines] == [
            ("linked", cast.ada, None),
            ("unlinked", cast.ada, None),
        ]
        assert {value for line in lines for value in line.staff.values()} == {None}
    page = signed_in(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert "linked a related ticket" in page
    assert hidden.reference not in page


def test_link_does_not_change_what_customers_see(cast: Cast, other: Ticket) -> None:
    before = {ticket.pk: ticket for ticket in Ticket.objects.all()}
    links.link_tickets(cast.ticket, other, by=cast.bao)
    for ticket in Ticket.objects.all():
        old = before[ticket.pk]
        assert (ticket.public_seq, ticket.public_updated_at) == (old.public_seq, old.public_updated_at)
        assert (ticket.staff_seq, ticket.version) == (old.staff_seq + 1, old.version)


def test_number_of_links_is_bounded_by_those_that_one_sees(
    cast: Cast, other: Ticket, hidden: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MAX_LINKS", 1)
    links.link_tickets(cast.ticket, hidden, by=cast.ada)
    links.link_tickets(cast.ticket, other, by=cast.bao)  # does not learn of the other one
    third = services.open_ticket(by=cast.greta, subject="Third", content="x", office=cast.billing)
    for pair in ((cast.ticket, third), (third, cast.ticket)):
        with pytest.raises(ValidationError, match="1 related"):
            links.link_tickets(*pair, by=cast.bao)


def test_link_ends_with_either_ticket(cast: Cast, other: Ticket, hidden: Ticket) -> None:
    links.link_tickets(cast.ticket, other, by=cast.ada)
    links.link_tickets(hidden, other, by=cast.ada)
    services.delete_ticket(cast.ticket, by=cast.ada)
    assert related(cast.ada, other) == [hidden]
    services.delete_ticket(other, by=cast.ada)
    assert not TicketLink.objects.exists()


def test_participating_agent_and_customer_get_no_links_by_the_api(cast: Cast, other: Ticket) -> None:
    links.link_tickets(cast.ticket, other, by=cast.bao)
    add_participant(cast.ticket, by=cast.bao, person=cast.fatima)
    path = f"tickets/{cast.ticket.uuid}/links/"
    assert [ApiClient(person).get(path).status_code for person in (cast.fatima, cast.casey)] == [403, 403]
    (row,) = ApiClient(cast.bao).get(path).json()
    assert row == {
        "uuid": str(other.uuid), "reference": other.reference, "subject": "Refund is late", "status": "Open",
        "status_id": other.status_id, "is_closed": False, "url": row["url"], "html_url": row["html_url"],
    }  # fmt: skip
    assert row["url"].endswith(f"/api/v1/tickets/{other.uuid}/")


def test_erased_agent_keeps_the_link_without_their_name(cast: Cast, other: Ticket) -> None:
    links.link_tickets(cast.ticket, other, by=cast.bao)
    erase_person(cast.bao, by=cast.ada)
    (link,) = TicketLink.objects.all()
    assert "Bao" not in str(link.created_by)
    assert "Bao Nguyen" not in signed_in(cast.ada).get(cast.ticket.get_absolute_url()).text
