"""Tickets that staff open for customers: who may, and the accounts that this creates."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts import customers, email_addresses
from accounts.models import User
from realtime.broadcasting import history
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import services
from tickets.models import Ticket


def opened(cast: Cast, text: str, by: User | None = None, **values: Any) -> Ticket:
    words = {"subject": "On the phone", "content": "They called.", "office": cast.billing}
    return services.open_ticket_for(text, by=by or cast.bao, **{**words, **values})


def posted(user: User, address: str, **values: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(address, values)


@pytest.mark.parametrize("text", ["casey@example.com", "Any <CASEY@example.com>", "casey  rivers", "ID"])
def test_staff_name_a_known_customer(cast: Cast, text: str) -> None:
    ticket = opened(cast, str(cast.casey.pk) if text == "ID" else text)
    assert (ticket.creator, ticket.opened_by, ticket.timeline.get().actor) == (cast.casey, cast.bao, cast.bao)


def test_unknown_address_gets_an_account_that_only_its_owner_can_use(cast: Cast) -> None:
    customer = opened(cast, "Nora Neu <Nora@Example.com>").creator
    assert (customer.name, customer.email, customer.role) == ("Nora Neu", "nora@example.com", "customer")
    assert not customer.has_usable_password()
    assert list(EmailAddress.objects.filter(user=customer).values_list("verified", "primary")) == [(False, True)]
    assert email_addresses.may_reset_password(customer, "nora@example.com")
    assert customers.customer_for_address("NORA@example.com", "Other") == customer


@pytest.mark.parametrize(("name", "kept"), [("", "nora"), ("see www.example.com", "nora"), ("Nora\u202e", "nora")])
def test_name_of_a_message_that_is_no_name_is_replaced(cast: Cast, name: str, kept: str) -> None:
    assert customers.customer_for_address("nora@example.net", name).name == kept


@pytest.mark.parametrize("text", ["Unknown", "hiro@example.com", "@", "a@b", "bao nguyen <>@"])
def test_names_that_lead_to_no_one_are_refused(cast: Cast, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        opened(cast, text)
    assert caught.value.message_dict.keys() == {"customer"}
    assert User.objects.count() == 8


def test_name_of_several_people_asks_for_an_address(cast: Cast) -> None:
    User.objects.create_user("other@example.com", name="Casey Rivers")
    with pytest.raises(ValidationError, match=r"other@example\.com"):
        opened(cast, "Casey Rivers")


def test_only_staff_of_the_office_open_tickets_for_others(cast: Cast) -> None:
    for by in (cast.emil, cast.casey, cast.greta):
        with pytest.raises(PermissionDenied):
            opened(cast, "nora@example.com", by=by)
    assert not User.objects.filter(email="nora@example.com").exists()
    assert opened(cast, "greta@example.com", by=cast.ada, office=cast.fraud).creator == cast.greta


def test_form_submitted_twice_opens_one_ticket(cast: Cast) -> None:
    key = "8c0f6f0e-0c0c-4a6e-9a43-3a9a0b3f1d11"
    assert opened(cast, "casey@example.com", key=key) == opened(cast, "casey@example.com", key=key)
    assert opened(cast, "greta@example.com", key=key).creator == cast.greta


def test_customer_receives_the_ticket_live_without_the_agents_hidden_name(cast: Cast) -> None:
    start = history.current_cursor()
    opened(cast, "casey@example.com")
    (event,) = history.read(cast.casey, [cast.casey.channel], start).events
    assert event["data"]["ticket"]["creator"]["name"] == "Casey Rivers"
    assert event["data"]["ticket"]["opened_by"] == {"id": str(cast.bao.pk), "name": "Bao Nguyen"}


def test_page_admin_and_api_open_a_ticket_for_a_customer(cast: Cast) -> None:
    words = {"subject": "Late", "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    named = {"customer": "Nora <nora@example.com>"}
    assert posted(cast.bao, "/tickets/new/", **words, **named).status_code == 302
    assert posted(cast.ada, "/admin/tickets/ticket/add/", **words, **named).status_code == 302
    answer = ApiClient(cast.bao).ask("POST", "tickets/", {**words, **named})
    assert (answer.status_code, answer.json()["creator"]["name"]) == (201, "Nora")
    assert Ticket.objects.filter(creator__email="nora@example.com", opened_by__isnull=False).count() == 3


def test_customers_can_name_and_look_up_no_one(cast: Cast) -> None:
    words = {"subject": "Late", "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    posted(cast.greta, "/tickets/new/", **words, customer="casey@example.com")
    assert Ticket.objects.get(subject="Late").creator == cast.greta
    answer = ApiClient(cast.greta).ask("POST", "tickets/", {**words, "customer": "casey@example.com"})
    assert answer.status_code == 403
    assert ApiClient(cast.greta).ask("GET", "customers/?q=casey").json() == []
    found = ApiClient(cast.bao).ask("GET", "customers/?q=riv+example.com").json()
    assert found == [{"id": str(cast.casey.pk), "name": "Casey Rivers", "email": "casey@example.com"}]


def test_wrong_customer_is_an_error_at_the_field(cast: Cast) -> None:
    words = {"subject": "Late", "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    page = posted(cast.bao, "/tickets/new/", **words, customer="Unknown")
    assert (page.status_code, "id_customer_error" in page.text) == (422, True)
    assert (
        "No active person found" in posted(cast.ada, "/admin/tickets/ticket/add/", **words, customer="Unknown").text
    )
    assert ApiClient(cast.bao).ask("POST", "tickets/", {**words, "customer": "Unknown"}).status_code == 422
