"""The customer card: what staff of a ticket see of its customer, and no one else."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.support.cast import Cast
from tickets import policies, services
from tickets.models import CustomerNote
from tickets.people.customers import MAX_TICKETS, add_customer_note, card_of, delete_customer_note


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(user: User, customer: User) -> Any:
    return browser(user).get(f"/people/{customer.pk}/")


def open_for_casey(cast: Cast, number: int) -> None:
    for count in range(number):
        office = cast.orders if count % 2 else cast.billing
        services.open_ticket(by=cast.casey, subject=f"Other {count}", content="x", office=office)


def test_agents_see_customers_of_tickets_they_are_staff_of(cast: Cast) -> None:
    see = {
        name: policies.visible_customers(getattr(cast, name)).filter(pk=cast.casey.pk).exists()
        for name in ("ada", "bao", "dana", "emil", "fatima", "casey", "greta", "hiro")
    }
    assert [name for name, sees in see.items() if sees] == ["ada", "bao", "dana"]
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil})
    assert policies.visible_customers(cast.emil).get() == cast.casey


def test_card_lists_only_tickets_that_the_agent_may_see(cast: Cast) -> None:
    open_for_casey(cast, 4)
    card = card_of(cast.ticket, viewer=cast.bao)
    assert card is not None
    assert [ticket.subject for ticket in card.tickets] == ["Other 2", "Other 0"]
    assert (card.counted, card.has_more, card.is_verified) == ("2", False, True)
    whole = card_of(cast.ticket, viewer=cast.ada)
    assert whole is not None
    assert whole.number == 4


def test_card_is_bounded_and_has_a_fixed_number_of_queries(cast: Cast) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            card = card_of(cast.ticket, viewer=cast.ada)
        assert card is not None
        assert len(card.tickets) <= MAX_TICKETS
        return len(captured)

    open_for_casey(cast, 2)
    few = queries()
    open_for_casey(cast, 10)
    for number in range(5):
        add_customer_note(cast.casey, by=cast.ada, text=f"Note {number}")
    assert queries() == few == 5


def test_address_shows_whether_it_is_verified(cast: Cast) -> None:
    assert "not verified" not in page_of(cast.bao, cast.casey).text
    EmailAddress.objects.filter(user=cast.casey).update(verified=False)
    assert "not verified" in page_of(cast.bao, cast.casey).text


def test_notes_are_for_staff_of_a_ticket_only(cast: Cast) -> None:
    response = browser(cast.bao).post(f"/people/{cast.casey.pk}/", {"text": "Pays late"})
    assert response.status_code == 302
    assert "Pays late" in page_of(cast.dana, cast.casey).text
    assert "Pays late" in browser(cast.dana).get(cast.ticket.get_absolute_url()).text
    for user in (cast.casey, cast.greta, cast.fatima, cast.emil):
        assert page_of(user, cast.casey).status_code == 404
        assert browser(user).post(f"/people/{cast.casey.pk}/", {"text": "x"}).status_code == 404
        with pytest.raises(PermissionDenied):
            add_customer_note(cast.casey, by=user, text="x")
    assert "Pays late" not in browser(cast.casey).get(cast.ticket.get_absolute_url()).text
    assert page_of(cast.ada, cast.dana).status_code == 404


def test_notes_are_deleted_by_their_author_and_admins(cast: Cast) -> None:
    first, second = (add_customer_note(cast.casey, by=cast.bao, text=text) for text in ("one", "two"))
    with pytest.raises(PermissionDenied):
        delete_customer_note(first, by=cast.dana)
    delete_customer_note(first, by=cast.bao)
    assert browser(cast.ada).post(f"/people/{cast.casey.pk}/notes/{second.pk}/delete/").status_code == 302
    assert not CustomerNote.objects.exists()


def test_empty_note_is_refused_in_the_form(cast: Cast) -> None:
    assert browser(cast.bao).post(f"/people/{cast.casey.pk}/", {"text": " \u200b "}).status_code == 422
    with pytest.raises(ValidationError):
        add_customer_note(cast.casey, by=cast.bao, text=" ")
