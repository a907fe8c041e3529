"""An admin invites a person by mail, who creates their account by its link."""

import io
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone, translation

from accounts.invitations import services
from accounts.models import Invitation, User
from audit.models import AuditEntry
from tests.support.api_client import ApiClient
from tests.support.jobs import run_all_jobs
from tests.test_admin import signed_in
from tickets import policies

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD = "noor@example.com", "correct horse staple"
FORM = {"name": "Noor Haddad", "new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture(autouse=True)
def _site(settings, no_worker):
    settings.SITE_URL = "https://desk.example.com"


def invite(cast, email=EMAIL, **values):
    return services.invite(email, **{"by": cast.ada, "role": "agent", "offices": [cast.billing], **values})


def mailed():
    """Send what is owed; return the links of invitations, one of each mail."""
    run_all_jobs()
    found, mail.outbox[:] = mail.outbox[:], []
    mails = [each for each in found if each.to == [EMAIL]]
    return [re.search(r"https://desk.example.com(/invitations/\S+)", each.body)[1] for each in mails]


def accept(path, **changes):
    return Client().post(path, FORM | changes)


def test_invited_person_chooses_a_password_and_works_in_the_offices(cast):
    invite(cast, name="Noor")
    [path] = mailed()
    assert 'value="Noor"' in Client().get(path).text
    assert accept(path).status_code == 302
    noor = User.objects.get(email=EMAIL)
    assert (noor.name, noor.role, list(noor.offices.all())) == ("Noor Haddad", "agent", [cast.billing])
    assert policies.is_staff_of(noor, cast.ticket)
    client = Client()
    assert client.post("/login/", {"login": EMAIL, "password": PASSWORD}).status_code == 302
    assert client.get(cast.ticket.get_absolute_url()).status_code == 200


def test_mail_is_in_the_language_of_the_admin_and_names_them(cast):
    with translation.override("de"):
        invite(cast)
    run_all_jobs()
    [message] = mail.outbox
    assert message.subject == "Einladung zu TIKM"
    assert "Ada Admin lädt Sie zu TIKM ein." in message.body


def used(cast, path):
    accept(path)


def revoked(cast, path):
    services.revoke(Invitation.objects.get(), by=cast.ada)


def expired(cast, path):
    Invitation.objects.update(expires_at=timezone.now())


def sent_again(cast, path):
    services.resend(Invitation.objects.get(), by=cast.ada)


def inviter_demoted(cast, path):
    User.objects.filter(pk=cast.ada.pk).update(role="agent")


def inviter_deactivated(cast, path):
    User.objects.filter(pk=cast.ada.pk).update(is_active=False)


def inviter_gone(cast, path):
    Invitation.objects.update(invited_by=None)


def signed_up(cast, path):
    User.objects.create_user(EMAIL, "x", name="Noor")


@pytest.mark.parametrize(
    "end", [used, revoked, expired, sent_again, inviter_demoted, inviter_deactivated, inviter_gone]
)
def test_link_that_ended_is_answered_like_a_made_up_one(cast, end):
    invite(cast)
    [path] = mailed()
    assert Client().get(path).status_code == 200
    end(cast, path)
    number = User.objects.count()
    for answer, made_up in (
        (Client().get(path), Client().get("/invitations/made-up/")),
        (accept(path), accept("/invitations/made-up/")),
    ):
        assert (answer.status_code, made_up.status_code) == (404, 404)
        assert re.sub(r"nonce=\S+|csrf\S+ \S+", "", answer.text) == re.sub(r"nonce=\S+|csrf\S+ \S+", "", made_up.text)
    assert User.objects.count() == number


def test_invitation_takes_no_account_over(cast):
    invite(cast)
    [path] = mailed()
    signed_up(cast, path)
    assert accept(path).status_code == 404
    assert User.objects.get(email=EMAIL).check_password("x")


def test_link_sent_again_works_also_after_the_first_expired(cast):
    invite(cast)
    mailed()
    expired(cast, "")
    services.resend(Invitation.objects.get(), by=cast.ada)
    [path] = mailed()
    assert accept(path).status_code == 302


def test_invitation_of_an_admin_who_left_is_renewed_by_another(cast):
    invitation = invite(cast)
    inviter_demoted(cast, "")
    assert mailed() == []  # it was not sent yet
    invitation = Invitation.objects.get()
    assert invitation.state == "expired"
    noor = User.objects.create_user("other@example.com", PASSWORD, name="Other", role="admin")
    services.resend(invitation, by=noor)
    assert Invitation.objects.get().state == "open"
    [path] = mailed()
    assert accept(path).status_code == 302


def test_revoked_invitation_that_was_not_sent_yet_is_not_sent(cast):
    services.revoke(invite(cast), by=cast.ada)
    assert mailed() == []
    invite(cast)
    assert len(mailed()) == 1


def test_weak_password_is_refused_and_the_name_stays(cast):
    invite(cast)
    [path] = mailed()
    answer = accept(path, new_password1="12345", new_password2="12345")
    assert answer.status_code == 422
    assert 'value="Noor Haddad"' in answer.text
    assert not User.objects.filter(email=EMAIL).exists()


def test_link_in_another_persons_browser_asks_them_to_sign_out(cast):
    invite(cast)
    [path] = mailed()
    client = Client()
    client.force_login(cast.bao)
    assert "You're signed in already" in client.get(path).text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "CASEY@example.com"}, "already in use"),
        ({"email": "nothing"}, "valid email"),
        ({"role": "customer"}, "Only agents"),
        ({"role": "owner", "offices": []}, "not a valid choice"),
    ],
)
def test_wrong_invitation_is_refused(cast, change, error):
    with pytest.raises(ValidationError, match=error):
        invite(cast, **change)
    assert not Invitation.objects.exists()


def test_person_is_invited_once_at_a_time_and_only_by_admins(cast):
    invitation = invite(cast)
    with pytest.raises(ValidationError, match="already invited"):
        invite(cast, "Noor@Example.com")
    for act in (services.resend, services.revoke):
        with pytest.raises(PermissionDenied):
            act(invitation, by=cast.bao)
    with pytest.raises(PermissionDenied):
        invite(cast, "other@example.com", by=cast.bao)
    services.revoke(invitation, by=cast.ada)
    with pytest.raises(ValidationError, match="accepted or revoked"):
        services.resend(invitation, by=cast.ada)
    assert invite(cast).state == "open"


def test_audit_log_has_what_happened_and_no_address(cast):
    client = signed_in(cast.ada)
    data = {"email": EMAIL, "name": "Noor", "role": "agent", "offices": [cast.billing.pk]}
    assert client.post("/admin/accounts/invitation/add/", data).status_code == 302
    selected = {"action": "send_again", "_selected_action": [str(Invitation.objects.get().pk)]}
    assert "1 invitation was sent again." in client.post("/admin/accounts/invitation/", selected, follow=True).text
    [*_, path] = mailed()
    accept(path)
    assert "already accepted" in client.post("/admin/accounts/invitation/", selected, follow=True).text
    entries = AuditEntry.objects.filter(subject_type="accounts.invitation").order_by("pk")
    assert [(entry.action, entry.actor, sorted(entry.changes)) for entry in entries] == [
        ("created", cast.ada, ["role"]),
        ("changed", cast.ada, ["expires_at"]),
        ("changed", None, ["accepted_at"]),
    ]
    assert "Noor" not in str([(entry.subject_name, entry.changes) for entry in entries])


def test_admin_page_shows_errors_at_their_fields(cast):
    client = signed_in(cast.ada)
    answer = client.post("/admin/accounts/invitation/add/", {"email": "casey@example.com", "role": "agent"})
    assert answer.context["adminform"].form.errors == {"email": ["This email address is already in use."]}
    client.force_login(cast.bao)
    assert client.get("/admin/accounts/invitation/").status_code == 403


def test_api_invites_sends_again_and_revokes(cast):
    ada = ApiClient(cast.ada)
    body = {"email": EMAIL, "role": "agent", "offices": ["billing"]}
    made = ada.post("invitations/", body)
    assert made.status_code == 201
    assert (made.json()["offices"], made.json()["invited_by"], made.json()["state"]) == (
        ["Billing"],
        "Ada Admin",
        "open",
    )
    again = ada.post("invitations/", body)
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (422, "#/email")
    one = f"invitations/{made.json()['id']}/"
    assert ada.post(f"{one}send/", None).json()["expires_at"] > made.json()["expires_at"]
    assert ada.ask("DELETE", one).status_code == 204
    assert ada.ask("DELETE", one).status_code == 422
    assert [row["state"] for row in ada.get("invitations/").json()] == ["revoked"]


def test_old_invitations_are_deleted(cast):
    invite(cast)
    invite(cast, "other@example.com")
    Invitation.objects.filter(email=EMAIL).update(expires_at=timezone.now() - timedelta(days=31))
    call_command("prune_sign_ups", stdout=io.StringIO())
    assert [each.email for each in Invitation.objects.all()] == ["other@example.com"]
