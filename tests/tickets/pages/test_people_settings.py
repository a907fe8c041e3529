"""The settings pages of people: invitations, roles, offices, deactivation, export and erasure, by admins only."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client

from accounts.models import Invitation, Office, User
from jobs.models import Job
from tests.support.cast import PASSWORD, Cast
from tests.support.jobs import run_due_jobs
from tests.test_admin import signed_in
from tickets import services
from tickets.models import Ticket, TimelineEntry
from tickets.people import handover

pytestmark = pytest.mark.django_db
PEOPLE = "/settings/people/"


@pytest.fixture
def ada(cast: Cast) -> Client:
    """An admin who has just entered their password."""
    return signed_in(cast.ada)


def page_of(person: User, action: str = "") -> str:
    return f"{PEOPLE}{person.pk}/{action}"


def names_on(page: Any) -> list[str]:
    return re.findall(rf'<a href="{PEOPLE}[0-9a-f-]+/"[^>]*><b>([^<]+)</b>', page.text)


def values(person: User, **changed: Any) -> dict[str, Any]:
    offices = [office.pk for office in person.offices.all()]
    return {"name": person.name, "role": person.role, "offices": offices, **changed}


@pytest.mark.parametrize("who", ["bao", "casey"])
def test_only_admins_open_the_pages(cast: Cast, ada: Client, who: str) -> None:
    pages = [PEOPLE, f"{PEOPLE}invite/", page_of(cast.casey), page_of(cast.casey, "erase/")]
    posts = [page_of(cast.dana, part) for part in ("", "deactivate/", "activate/", "export/", "erase/")]
    client = signed_in(getattr(cast, who))
    assert [client.get(page).status_code for page in pages] == [403] * 4
    assert [client.post(page, values(cast.dana)).status_code for page in posts] == [403] * 5
    assert [ada.get(page).status_code for page in pages] == [200] * 4


def test_list_shows_staff_and_finds_customers(cast: Cast, ada: Client) -> None:
    assert {"Ada Admin", "Bao Nguyen"} & set(names_on(ada.get(PEOPLE))) == {"Ada Admin", "Bao Nguyen"}
    assert "Casey Rivers" not in names_on(ada.get(PEOPLE))
    assert names_on(ada.get(PEOPLE, {"q": "cásey RIV"})) == ["Casey Rivers"]
    assert names_on(ada.get(PEOPLE, {"q": "casey@example.com"})) == ["Casey Rivers"]
    assert names_on(ada.get(PEOPLE, {"q": "\0"})) == []
    assert "No one has this name or address." in ada.get(PEOPLE, {"q": "zzz"}).text


def test_invited_person_is_listed_until_the_invitation_is_revoked(cast: Cast, ada: Client) -> None:
    billing = Office.objects.get(name="Billing")
    form = {"email": "noor@example.com", "name": "Noor", "role": "agent", "offices": [billing.pk]}
    assert ada.post(f"{PEOPLE}invite/", form)["Location"] == PEOPLE
    run_due_jobs()
    assert [message.to for message in mail.outbox] == [["noor@example.com"]]
    assert "noor@example.com" in ada.get(PEOPLE).text
    invitation = Invitation.objects.get()
    assert list(invitation.offices.all()) == [billing]
    ada.post(f"{PEOPLE}invitations/{invitation.pk}/send/")
    run_due_jobs()
    assert len(mail.outbox) == 2
    assert ada.post(f"{PEOPLE}invitations/{invitation.pk}/revoke/", follow=True).text.count("was revoked") == 1
    assert "noor@example.com</b>" not in ada.get(PEOPLE).text
    page = ada.post(f"{PEOPLE}invitations/{invitation.pk}/send/", follow=True)
    assert "already accepted or revoked" in page.text


def test_invitation_of_a_known_address_is_refused_and_keeps_what_was_typed(cast: Cast, ada: Client) -> None:
    form = {"email": "casey@example.com", "name": "Typed", "role": "agent"}
    page = ada.post(f"{PEOPLE}invite/", form)
    assert page.status_code == 422
    assert "This email address is already in use." in page.text
    assert 'value="Typed"' in page.text
    assert not Invitation.objects.exists()


def test_role_and_offices_are_saved(cast: Cast, ada: Client) -> None:
    support = Office.objects.create(name="Support")
    ada.post(page_of(cast.casey), values(cast.casey, role="agent", offices=[support.pk], name="Casey R."))
    casey = User.objects.get(pk=cast.casey.pk)
    assert (casey.name, casey.role, list(casey.offices.all())) == ("Casey R.", "agent", [support])
    ada.post(page_of(casey), values(casey, role="customer"))
    casey = User.objects.get(pk=cast.casey.pk)
    assert (casey.role, casey.offices.count()) == ("customer", 0)


@pytest.mark.parametrize("office", ["x", "-1", str(2**70), "9" * 5000])
def test_unknown_office_is_refused(cast: Cast, ada: Client, office: str) -> None:
    pages = [ada.post(page_of(cast.bao), values(cast.bao, offices=[office]))]
    pages.append(ada.post(f"{PEOPLE}invite/", {"email": "noor@example.com", "role": "agent", "offices": [office]}))
    assert [page.status_code for page in pages] == [422, 422]
    assert (cast.bao.offices.count() > 0, Invitation.objects.count()) == (True, 0)


def test_tickets_of_an_agent_who_becomes_a_customer_are_unassigned(cast: Cast, ada: Client) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    assert "1 open ticket is assigned to this person" in ada.get(page_of(cast.bao)).text
    ada.post(page_of(cast.bao), values(cast.bao, role="customer"))
    assert Ticket.objects.get(pk=cast.ticket.pk).assigned_to is None
    entry = TimelineEntry.objects.filter(ticket=cast.ticket).latest("pk")
    assert entry.actor == cast.ada


def test_deactivated_person_is_signed_out_and_hands_over_their_tickets(cast: Cast, ada: Client) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    bao = signed_in(cast.bao)
    page = ada.post(page_of(cast.bao, "deactivate/"), {"to": cast.ada.pk}, follow=True)
    assert "was deactivated and signed out. 1 ticket was handed over." in page.text
    assert bao.get("/tickets/").status_code == 302
    assert Ticket.objects.get(pk=cast.ticket.pk).assigned_to == cast.ada
    assert not Client().login(email="bao@example.com", password=PASSWORD)
    ada.post(page_of(cast.bao, "activate/"))
    assert Client().login(email="bao@example.com", password=PASSWORD)


def test_tickets_are_handed_to_no_one_who_cannot_work_on_them(cast: Cast, ada: Client) -> None:
    page = ada.post(page_of(cast.bao, "deactivate/"), {"to": cast.casey.pk}, follow=True)
    assert "Tickets can only be assigned to active agents and admins." in page.text
    assert User.objects.get(pk=cast.bao.pk).is_active


def test_admins_keep_their_own_role_and_one_admin_stays(cast: Cast, ada: Client) -> None:
    ada.post(page_of(cast.ada), values(cast.ada, role="customer"))
    assert User.objects.get(pk=cast.ada.pk).is_admin
    assert ada.post(page_of(cast.ada, "deactivate/")).status_code == 403
    second = User.objects.create_superuser("second@example.com", PASSWORD, name="Second")
    User.objects.filter(role="admin").exclude(pk__in=[cast.ada.pk, second.pk]).update(role="customer")
    ada.post(page_of(second), values(second, role="customer"))
    assert User.objects.get(pk=second.pk).is_customer


def test_services_refuse_others_than_admins_and_ones_own_role(cast: Cast) -> None:
    new = {"name": "New", "role": "agent", "offices": []}
    for person, by in ((cast.casey, cast.bao), (cast.casey, cast.casey), (cast.ada, cast.ada)):
        with pytest.raises(PermissionDenied):
            handover.update_person(person, by=by, **new)
    cast.casey.is_active = False
    with pytest.raises(PermissionDenied):
        handover.activate(cast.casey, by=cast.bao)
    handover.update_person(cast.casey, by=cast.ada, **new)
    handover.activate(cast.casey, by=cast.ada)
    casey = User.objects.get(pk=cast.casey.pk)
    assert (casey.role, casey.is_active) == ("agent", True)


def test_change_waits_for_the_password(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ada)
    answer = client.post(page_of(cast.casey), values(cast.casey, role="admin"))
    assert answer["Location"].startswith("/reauthenticate/")
    assert User.objects.get(pk=cast.casey.pk).is_customer
    client.post(answer["Location"], {"password": PASSWORD}, follow=True)
    assert User.objects.get(pk=cast.casey.pk).is_admin


def test_person_is_exported_and_erased(cast: Cast, ada: Client) -> None:
    answer = ada.post(page_of(cast.casey, "export/"))
    assert (answer["Content-Type"], b"".join(answer.streaming_content)[:2]) == ("application/zip", b"PK")
    wrong = ada.post(page_of(cast.casey, "erase/"), {"tickets": "keep", "confirmation": "bao@example.com"})
    assert wrong.status_code == 422
    assert User.objects.get(pk=cast.casey.pk).erased_at is None
    ada.post(page_of(cast.casey, "erase/"), {"tickets": "keep", "confirmation": "Casey@Example.com "})
    assert User.objects.get(pk=cast.casey.pk).erased_at is not None
    assert ada.get(page_of(cast.casey)).status_code == 404
    assert not Job.objects.filter(arguments__user_id=str(cast.casey.pk)).exists()
