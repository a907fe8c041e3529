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
from tests.support.sockets import do, subscribe
from tickets import policies, services
from tickets.models import CustomerNote, customer_channel
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


async def test_open_cards_are_updated_as_long_as_one_may_see_them(live_cast: Cast) -> None:
    cast = live_cast
    card = await subscribe(cast.dana, customer_channel(cast.casey.pk))
    note = await do(add_customer_note, cast.casey, by=cast.bao, text="Pays late")
    assert (await card.event("customer.notes.updated"))["customer"] == {"id": str(cast.casey.pk)}
    assert "Pays late" not in str(card.received)
    await do(services.update_ticket, cast.ticket, by=cast.bao, values={"office": cast.orders})
    await do(delete_customer_note, note, by=cast.bao)
    assert (await card.event("pusher:subscription_error"))["status"] == 403
    assert [frame["event"] for frame in card.received].count("customer.notes.updated") == 1
    await card.close()


def test_scripts_read_the_notes_that_the_page_shows(cast: Cast) -> None:
    for number in range(4):
        add_customer_note(cast.casey, by=cast.bao, text=f"Note {number} " + "x" * 300)
    path = f"/people/{cast.casey.pk}/notes/"
    data = browser(cast.dana).get(path).json()
    assert [note["text"][:6] for note in data["notes"]] == ["Note 3", "Note 2", "Note 1", "Note 0"]
    assert data["latest"] == data["notes"][:3]
    assert (len(data["notes"][0]["short"]), data["notes"][0]["can_be_deleted"]) == (300, False)
    assert {browser(user).get(path).status_code for user in (cast.casey, cast.greta, cast.fatima)} == {404}
