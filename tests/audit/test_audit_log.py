"""The audit log: who did what, when and from where; read by admins, never changed."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import DeskSettings, Office, User
from accounts.sign_in import tokens
from audit.models import AuditEntry
from mail.models import Mailbox
from tests.support.cast import PASSWORD, Cast
from tests.test_admin import signed_in
from tickets import services
from tickets.models import Organization, OrganizationMember, Status
from tickets.people.organizations import add_member, delete_organization, save_organization
from tickets.people.participants import add_participant, remove_participant
from tickets.privacy.erasure import erase_person

Action = AuditEntry.Action
ADDRESS = "203.0.113.9"
PAGE = "/admin/audit/auditentry/"


@pytest.fixture(autouse=True)
def empty_log(cast: Cast) -> None:
    AuditEntry.objects.prune(timezone.now() + timedelta(days=1))


def entries() -> list[tuple[str, Any, str]]:
    return [(entry.action, entry.actor, entry.subject_id) for entry in AuditEntry.objects.order_by("pk")]


def last() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


def sign_in(email: str, password: str) -> Client:
    client = Client(REMOTE_ADDR=ADDRESS)
    client.post(
        reverse("account_login"), {"login": email, "password": password}, headers={"x-request-id": "try-4711"}
    )
    return client


def test_sign_in_and_sign_out_name_person_address_and_request(cast: Cast) -> None:
    client = sign_in(cast.casey.email, PASSWORD)
    assert entries() == [(Action.SIGNED_IN, cast.casey, str(cast.casey.pk))]
    assert (last().address, last().request_id) == (ADDRESS, "try-4711")
    client.post(reverse("account_logout"))
    assert entries()[1:] == [(Action.SIGNED_OUT, cast.casey, str(cast.casey.pk))]


def test_wrong_password_names_the_account_and_an_unknown_address_no_account(cast: Cast) -> None:
    sign_in(cast.casey.email, "wrong")
    assert entries() == [(Action.SIGN_IN_FAILED, None, str(cast.casey.pk))]
    sign_in("unknown@example.com", "wrong")
    assert entries()[1:] == [(Action.SIGN_IN_FAILED, None, "")]
    assert "unknown@example.com" not in str(AuditEntry.objects.values().last())


def test_role_and_activation_have_their_values_and_an_address_has_none(cast: Cast) -> None:
    cast.casey.role, cast.casey.is_active, cast.casey.email = User.Role.AGENT, False, "new@example.com"
    cast.casey.save()
    assert last().changes == {"role": ["customer", "agent"], "is_active": [True, False], "email": []}
    assert AuditEntry.objects.count() == 1


def test_what_changes_no_access_has_no_entry(cast: Cast) -> None:
    cast.casey.name = "Casey R."
    cast.casey.save()
    Office.objects.get(pk=cast.billing.pk).save()
    assert entries() == []
    cast.billing.name = "Invoices"
    cast.billing.save()
    assert last().changes == {"name": ["Billing", "Invoices"]}


def test_offices_of_an_agent_from_either_side(cast: Cast) -> None:
    cast.orders.agents.add(cast.bao)
    assert (last().subject_id, last().changes) == (str(cast.bao.pk), {"offices": ["", "Orders"]})
    cast.bao.offices.remove(cast.orders)
    assert (last().subject_id, last().changes) == (str(cast.bao.pk), {"offices": ["Orders", ""]})
    cast.bao.offices.clear()
    assert (last().subject_id, last().changes) == (str(cast.bao.pk), {"offices": ["Billing", ""]})
    assert AuditEntry.objects.count() == 3


@pytest.mark.parametrize("model", [Office, Status])
def test_configuration_is_created_changed_and_deleted(cast: Cast, model: Any) -> None:
    made = model.objects.create(name="Made up")
    made.name = "Renamed"
    made.save()
    key = str(made.pk)
    made.delete()
    assert [(entry[0], entry[2]) for entry in entries()] == [
        (Action.CREATED, key), (Action.CHANGED, key), (Action.DELETED, key),
    ]  # fmt: skip
    assert last().subject_name == "Renamed"


def test_settings_of_the_desk(cast: Cast) -> None:
    row, _ = DeskSettings.objects.get_or_create(pk=1)
    row.unseen_minutes = 7
    row.save()
    assert last().changes == {"unseen_minutes": [2, 7]}


def test_password_of_a_mailbox_is_named_without_its_value(cast: Cast) -> None:
    box = Mailbox.objects.create(address="billing@desk.example", office=cast.billing)
    box.imap_password = "secret words"
    box.imap_error = "no route"
    box.save()
    assert last().changes == {"imap_secret": []}


def test_token_and_deleted_ticket(cast: Cast) -> None:
    tokens.issue(cast.bao, name="script", days=1)
    assert entries() == [(Action.TOKEN_CREATED, None, str(cast.bao.pk))]
    tokens.revoke_all(cast.bao)
    assert last().action == Action.TOKEN_REVOKED
    reference, key = cast.ticket.reference, str(cast.ticket.pk)
    services.delete_ticket(cast.ticket, by=cast.ada)
    assert entries()[2:] == [(Action.DELETED, cast.ada, key)]
    assert last().subject_name == reference


def test_export_names_who_took_the_data(cast: Cast) -> None:
    client = signed_in(cast.casey)
    AuditEntry.objects.prune(timezone.now() + timedelta(days=1))
    with closing(client.post(reverse("profile-data"))) as response:
        assert response.status_code == 200
    assert entries() == [(Action.EXPORTED, cast.casey, str(cast.casey.pk))]


def test_erasure_removes_the_addresses_of_the_person_and_of_no_other(cast: Cast) -> None:
    sign_in(cast.casey.email, PASSWORD)
    sign_in(cast.casey.email, "wrong")
    sign_in(cast.bao.email, PASSWORD)
    AuditEntry.objects.create(action=Action.EXPORTED, actor=cast.casey, address=ADDRESS)
    erase_person(cast.casey, by=cast.ada)
    assert AuditEntry.objects.filter(action=Action.ERASED, subject_id=str(cast.casey.pk)).count() == 1
    before = AuditEntry.objects.order_by("pk")[:4]
    assert [entry.address for entry in before] == [None, None, ADDRESS, None]


def test_entries_do_not_change(cast: Cast) -> None:
    sign_in(cast.casey.email, PASSWORD)
    entry = last()
    for change in (entry.save, entry.delete, AuditEntry.objects.all().delete,
                   lambda: AuditEntry.objects.update(action=Action.ERASED)):  # fmt: skip
        with pytest.raises(TypeError):
            change()
    assert entries() == [(Action.SIGNED_IN, cast.casey, str(cast.casey.pk))]


def test_old_entries_are_pruned(cast: Cast, settings: Any) -> None:
    for days in (31, 29):
        AuditEntry.objects.create(action=Action.SIGNED_IN, at=timezone.now() - timedelta(days=days))
    settings.AUDIT_RETENTION_DAYS = 0
    call_command("prune_audit_log")
    assert AuditEntry.objects.count() == 2
    settings.AUDIT_RETENTION_DAYS = 30
    call_command("prune_audit_log")
    assert AuditEntry.objects.count() == 1


def test_admins_read_and_search_the_log_and_cannot_change_it(client: Client, cast: Cast) -> None:
    sign_in(cast.casey.email, PASSWORD)
    cast.orders.agents.add(cast.bao)
    entry = last()
    client.force_login(cast.ada)
    page = client.get(PAGE).content.decode()
    assert all(text in page for text in ("Casey Rivers", ADDRESS, "offices:  → Orders"))
    for term, found, missing in (
        ("nguyen", "Orders", ADDRESS),
        (ADDRESS, "Casey", "Orders"),
        ("try-4711", "Casey", "Orders"),
    ):
        page = client.get(PAGE, {"q": term}).content.decode()
        table = page.partition("<tbody>")[2].partition("</tbody>")[0]
        assert found in table
        assert missing not in table
    assert client.get(f"{PAGE}{entry.pk}/change/").status_code == 200
    for path in (f"{PAGE}{entry.pk}/delete/", f"{PAGE}add/"):
        assert client.get(path).status_code == 403
    assert client.post(f"{PAGE}{entry.pk}/change/", {"action": "erased"}).status_code == 403
    client.force_login(cast.bao)
    assert client.get(PAGE).status_code == 403


# Who reads tickets


def test_members_and_their_switch_have_entries(cast: Cast) -> None:
    acme = save_organization(Organization(name="Acme"), by=cast.ada, domains=["acme.example"])
    assert [(entry.subject_type, entry.changes) for entry in AuditEntry.objects.order_by("pk")] == [
        ("tickets.organization", {"members_see_tickets": [None, False]}),
        ("tickets.organizationdomain", {"organization": [None, "Acme"]}),
    ]
    acme.members_see_tickets = True
    save_organization(acme, by=cast.ada)
    assert last().changes == {"members_see_tickets": [False, True]}
    add_member(acme, by=cast.ada, person=cast.greta)
    assert (last().subject_id, last().changes) == (str(cast.greta.pk), {"organization": ["", "Acme"]})
    other = save_organization(Organization(name="Other"), by=cast.ada)
    add_member(other, by=cast.ada, person=cast.greta)
    assert last().changes == {"organization": ["Acme", "Other"]}
    OrganizationMember.objects.get().save()
    assert last().changes == {"organization": ["Acme", "Other"]}
    delete_organization(other, by=cast.ada)
    assert {"organization": ["Other", ""]} in list(AuditEntry.objects.values_list("changes", flat=True))
    assert (last().action, last().subject_name) == (Action.DELETED, "Other")


def test_participants_have_entries_without_names(cast: Cast) -> None:
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    assert entries() == [(Action.CHANGED, cast.bao, str(cast.ticket.pk))]
    assert last().changes == {"participants": [None, str(cast.greta.pk)]}
    services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "Refund"})
    remove_participant(cast.ticket, by=cast.greta, person=cast.greta)
    assert entries()[1:] == [(Action.CHANGED, cast.greta, str(cast.ticket.pk))]
    assert last().changes == {"participants": [str(cast.greta.pk), None]}
    assert "Greta" not in str(list(AuditEntry.objects.values()))
