"""The settings pages of offices, and of the desk as a whole."""

import pytest
from django.test import Client

from accounts.models import DeskSettings, Office, User
from tests.support.cast import Cast
from tests.support.jobs import run_due_jobs
from tickets import policies

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_admins_see_and_change_offices(cast: Cast) -> None:
    address, data = f"/settings/offices/{cast.billing.pk}/", {"name": "Invoices"}
    assert {signed_in(each).get("/settings/offices/").status_code for each in (cast.bao, cast.casey)} == {403}
    assert {signed_in(each).post(address, data).status_code for each in (cast.bao, cast.casey)} == {403}
    assert signed_in(cast.ada).post(address, data).status_code == 302
    cast.billing.refresh_from_db()
    assert cast.billing.name == "Invoices"


def test_new_office_has_its_agents(cast: Cast) -> None:
    data = {"name": "Returns", "agents": [str(cast.emil.pk), str(cast.bao.pk)], "signature": "The returns team"}
    assert signed_in(cast.ada).post("/settings/offices/new/", data).status_code == 302
    office = Office.objects.get(name="Returns")
    assert {*office.agents.all()} == {cast.emil, cast.bao}
    assert office.signature == "The returns team"


def test_agent_who_leaves_an_office_loses_its_tickets(cast: Cast) -> None:
    assert policies.is_staff_of(cast.bao, cast.ticket)
    address, data = f"/settings/offices/{cast.billing.pk}/", {"name": "Billing", "agents": [str(cast.dana.pk)]}
    assert signed_in(cast.ada).post(address, data).status_code == 302
    assert not policies.is_staff_of(cast.bao, cast.ticket)
    assert policies.is_staff_of(cast.dana, cast.ticket)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "Orders"}, "already exists"),
        ({"name": "Billing", "sender_address": "x"}, "Enter a valid email address"),
        ({"name": "Billing", "agents": ["00000000-0000-0000-0000-000000000000"]}, "Select a valid choice"),
    ],
)
def test_invalid_office_is_refused(cast: Cast, data: dict, sentence: str) -> None:
    response = signed_in(cast.ada).post(f"/settings/offices/{cast.billing.pk}/", data)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    cast.billing.refresh_from_db()
    assert cast.billing.name == "Billing"
    assert cast.billing.agents.count() == 2


def test_customers_are_not_offered_as_agents(cast: Cast) -> None:
    page = signed_in(cast.ada).get("/settings/offices/new/").content.decode()
    assert "Bao Nguyen" in page
    assert "Casey Rivers" not in page


def test_office_is_deleted_once_its_tickets_are_elsewhere(cast: Cast) -> None:
    client, address = signed_in(cast.ada), f"/settings/offices/{cast.billing.pk}/delete/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"replacement": cast.orders.pk}).status_code == 302
    assert "Deleting…" in client.get("/settings/offices/").content.decode()
    run_due_jobs()
    assert not Office.objects.filter(pk=cast.billing.pk).exists()
    cast.ticket.refresh_from_db()
    assert cast.ticket.office == cast.orders


def test_desk_settings_are_saved_by_admins_only(cast: Cast) -> None:
    data = {
        "site_name": "Acme Help",
        "staff_names": "first",
        "sender_address": "help@acme.example",
        "unseen_minutes": "2",
        "digest_hour": "8",
    }
    assert signed_in(cast.bao).post("/settings/desk/", data).status_code == 403
    assert DeskSettings.current().site_name == "TIKM"
    assert signed_in(cast.ada).post("/settings/desk/", data | {"site_name": ""}).status_code == 422
    assert signed_in(cast.ada).post("/settings/desk/", data).status_code == 302
    assert DeskSettings.current().site_name == "Acme Help"
    assert DeskSettings.current().staff_names == "first"
