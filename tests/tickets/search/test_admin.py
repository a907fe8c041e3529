"""Django's admin finds tickets and messages as the pages do: folded, in parts, and by reference."""

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tests.test_admin import signed_in
from tickets import policies, services
from tickets.models import Ticket
from tickets.search.queries import search_index
from tickets.search.terms import parse

pytestmark = pytest.mark.django_db


def found(client: Client, kind: str, typed: str) -> set[str]:
    rows = client.get(f"/admin/tickets/{kind}/", {"q": typed}).context["cl"].result_list
    return {row.subject if isinstance(row, Ticket) else row.message for row in rows}


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    ticket = services.open_ticket(by=cast.casey, subject="Müllers Straße", content="x", office=cast.billing)
    services.add_reply(ticket, by=cast.bao, message="Ihre Rechnung INV-4711")
    services.add_reply(ticket, by=cast.bao, message="Verdächtig", internal=True)
    return ticket


@pytest.mark.parametrize("typed", ["muller", "MULLERS strasse", "üller", "verdachtig", "4711", "casey@example.com"])
def test_tickets_are_found_by_any_of_their_folded_texts(cast: Cast, ticket: Ticket, typed: str) -> None:
    assert "Müllers Straße" in found(signed_in(cast.ada), "ticket", typed)
    assert "Müllers Straße" in found(signed_in(cast.bao), "ticket", typed)


def test_ticket_is_found_by_its_reference_and_all_without_a_term(cast: Cast, ticket: Ticket) -> None:
    client = signed_in(cast.ada)
    assert found(client, "ticket", ticket.reference.lower()) == {"Müllers Straße"}
    assert found(client, "reply", ticket.reference) == {"Ihre Rechnung INV-4711", "Verdächtig"}
    assert len(found(client, "ticket", "")) == Ticket.objects.count()


def test_messages_are_found_by_their_words(cast: Cast, ticket: Ticket) -> None:
    client = signed_in(cast.bao)
    assert found(client, "reply", "rechnung 4711") == {"Ihre Rechnung INV-4711"}
    assert found(client, "reply", "verdachtig") == {"Verdächtig"}
    assert found(client, "reply", "muller") == set()
    assert found(client, "reply", "rechnung -ihre") == set()


@pytest.mark.parametrize("kind", ["ticket", "reply"])
def test_agent_of_another_office_finds_nothing(cast: Cast, ticket: Ticket, kind: str) -> None:
    assert found(signed_in(cast.emil), kind, "verdachtig") == set()


@pytest.mark.parametrize(("name", "asks"), [("ada", False), ("bao", True)])
def test_search_of_an_admin_has_no_subquery_of_visible_tickets(cast: Cast, name: str, asks: bool) -> None:
    user = User.objects.get(pk=getattr(cast, name).pk)
    for texts in policies.searchable_texts(user):
        assert ("tickets_ticket" in str(texts.values("ticket").query)) == asks
    plan = search_index(policies.listed_tickets(user), parse("muller"), user).explain()
    if connection.vendor == "sqlite":
        assert "SCAN tickets_searchtext\n" not in plan
        assert "VIRTUAL TABLE INDEX" in plan
