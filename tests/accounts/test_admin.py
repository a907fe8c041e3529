"""Users, offices, sessions and tokens in Django's admin, and the secrets it does not show."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from accounts.admin.users import UserChangeForm
from accounts.models import ApiToken, User
from tests.support.cast import PASSWORD, Cast
from tests.test_admin import names, save, signed_in
from tickets import services
from tickets.models import Ticket


def user_page(person: User) -> str:
    return f"/admin/accounts/user/{person.pk}/change/"


@pytest.mark.parametrize(
    "query", ["email__startswith=d", "last_login__isnull=1", "password__startswith=m", "hides_online=0"]
)
def test_list_allows_only_its_own_filters(cast: Cast, query: str) -> None:
    agent = signed_in(cast.bao)
    assert names(agent.get("/admin/accounts/user/?role__exact=admin")) == {"Ada Admin"}
    assert agent.get(f"/admin/accounts/user/?{query}").status_code == 400


@pytest.mark.parametrize(
    "address", ["accounts/apitoken/?digest__startswith=a", "mfa/authenticator/?data__contains=a"]
)
def test_lists_cannot_be_filtered_by_secrets(cast: Cast, address: str) -> None:
    assert signed_in(cast.ada).get(f"/admin/{address}").status_code == 400


def test_invisible_object_returns_404_to_agents(cast: Cast) -> None:
    other = services.open_ticket(by=cast.greta, subject="Elsewhere", content="x", office=cast.orders)
    agent = signed_in(cast.bao)
    for address in (user_page(cast.casey), f"/admin/tickets/ticket/{other.pk}/change/"):
        assert agent.get(address).status_code == 404
        assert signed_in(cast.ada).get(address).status_code == 200
    kind = ContentType.objects.get_for_model(Ticket).pk
    assert agent.get(f"/admin/r/{kind}/{other.pk}/").status_code == 404


def test_only_admins_read_the_change_log_of_users(cast: Cast) -> None:
    save(signed_in(cast.ada), user_page(cast.dana), name="Dana O.")
    for page in (f"accounts/user/{cast.dana.pk}", f"accounts/office/{cast.billing.pk}"):
        assert signed_in(cast.bao).get(f"/admin/{page}/history/").status_code == 403
        assert signed_in(cast.ada).get(f"/admin/{page}/history/").status_code == 200


def test_form_refuses_the_email_address_of_another_user(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.greta, email="second@example.com", verified=True)
    client = signed_in(cast.ada)
    for email in ("second@example.com", "GRETA@example.com", "Second@Example.com"):
        response = save(client, user_page(cast.casey), email=email)
        assert response.status_code == 200
        assert response.context["adminform"].form.errors["email"]
    assert save(client, user_page(cast.casey), email="New@Example.com").status_code == 302
    assert User.objects.get(pk=cast.casey.pk).email == "new@example.com"
    assert Client().post("/login/", {"login": "new@example.com", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("key", ["x", "-1", str(2**70)])
def test_unknown_ids_are_refused_in_the_form(cast: Cast, key: str) -> None:
    admin = signed_in(cast.ada)
    person = {"email": "noor@example.com", "name": "Noor", "role": "agent"}
    invitation = admin.post("/admin/accounts/invitation/add/", person | {"offices": [key]})
    office = admin.post("/admin/accounts/office/add/", {"name": "Elsewhere", "agents": [key]})
    for page, field in ((invitation, "offices"), (office, "agents")):
        assert page.status_code == 200
        assert list(page.context["adminform"].form.errors) == [field]


def test_password_set_by_admin_ends_all_sessions(cast: Cast) -> None:
    agent = Client()
    agent.post("/login/", {"login": "bao@example.com", "password": PASSWORD})
    assert agent.get("/tickets/").status_code == 200
    new = {"password1": "a-long-phrase-7", "password2": "a-long-phrase-7", "usable_password": "true"}
    address = f"/admin/accounts/user/{cast.bao.pk}/password/"
    assert signed_in(cast.ada).post(address, new | {"set-password": "1"}).status_code == 302
    assert agent.get("/tickets/").status_code == 302
    assert not UserSession.objects.filter(user=cast.bao).exists()


def test_reactivated_user_has_to_sign_in_again(cast: Cast) -> None:
    agent = Client()
    agent.post("/login/", {"login": "bao@example.com", "password": PASSWORD})
    for is_active in (False, True):
        assert save(signed_in(cast.ada), user_page(cast.bao), is_active=is_active).status_code == 302
    assert agent.get("/tickets/").status_code == 302
    agent.post("/login/", {"login": "bao@example.com", "password": PASSWORD})
    assert agent.get("/tickets/").status_code == 200


def test_own_password_is_changed_on_the_site(cast: Cast) -> None:
    response = signed_in(cast.bao).get("/admin/password_change/")
    assert response["Location"] == reverse("account_change_password")
    for person, own in ((cast.ada, True), (cast.bao, False)):
        page = signed_in(cast.ada).get(f"/admin/accounts/user/{person.pk}/password/")
        assert (page.status_code == 302) == own


def test_user_without_a_second_step_is_not_asked_for_recovery_codes(cast: Cast) -> None:
    totp = Authenticator.objects.create(user=cast.bao, type="totp", data={"secret": "hush"})
    Authenticator.objects.create(user=cast.bao, type="recovery_codes", data={"seed": "hush"})
    client = signed_in(cast.ada)
    for page in ("/admin/mfa/authenticator/", f"/admin/mfa/authenticator/{totp.pk}/change/"):
        assert "hush" not in client.get(page).text
    assert client.post(f"/admin/mfa/authenticator/{totp.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


def test_token_hash_is_never_shown(cast: Cast) -> None:
    token, _secret = ApiToken.objects.create(user=cast.bao, name="Import")
    other, _secret = ApiToken.objects.create(user=cast.bao, name="Export")
    client = signed_in(cast.ada)
    page = client.get("/admin/accounts/apitoken/")
    assert "Import" in page.text
    assert token.digest not in page.text
    chosen = {"action": "delete_selected", "_selected_action": [str(token.id)]}
    confirm = client.post("/admin/accounts/apitoken/", chosen)
    assert "Import" in confirm.text
    assert token.digest not in confirm.text
    client.post("/admin/accounts/apitoken/", chosen | {"post": "yes"})
    assert list(ApiToken.objects.all()) == [other]
    assert not LogEntry.objects.filter(object_id=token.digest).exists()


@pytest.mark.parametrize("change", [{"role": "agent"}, {"is_active": False}])
def test_two_admins_who_demote_each_other_leave_one(
    cast: Cast, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = User.objects.create_user("second@example.com", PASSWORD, name="Second", role="admin")
    client, clean = signed_in(other), UserChangeForm.clean

    def clean_concurrently(form: UserChangeForm) -> Any:
        """Do what Ada's concurrent request does."""
        User.objects.filter(pk=other.pk).update(role="agent")
        return clean(form)

    monkeypatch.setattr(UserChangeForm, "clean", clean_concurrently)
    response = save(client, user_page(cast.ada), **change)
    assert "At least one active admin is required" in response.text
    assert User.objects.get(pk=cast.ada.pk).is_admin
