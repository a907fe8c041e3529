"""Sign-in through an OpenID Connect provider, a real one: panva's oidc-provider."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from accounts.customers import customer_for_address
from accounts.invitations import services as invitations
from accounts.models import Invitation, Office, User
from realtime.doctor.problem import Problem
from tests.accounts.sign_in.test_two_step import turn_on
from tests.support.cast import PASSWORD, Cast
from tests.support.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    identity_provider,
    sign_in_at,
    way_to,
)
from tests.test_admin import signed_in
from tikm import environment
from tikm.doctor import check_single_sign_on

pytestmark = pytest.mark.django_db
NEW = {"email": "nora@example.com", "email_verified": True, "name": "Nora Novak"}


@pytest.fixture(scope="module")
def running() -> Iterator[IdentityProvider]:
    with identity_provider("http://testserver") as provider:
        yield provider


@pytest.fixture
def provider(running: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> IdentityProvider:
    configure(settings, monkeypatch, running)
    cache.clear()
    return running


def configure(settings: Any, monkeypatch: pytest.MonkeyPatch, provider: IdentityProvider, **names: str) -> None:
    """Set the environment of a site that trusts the provider."""
    given = {"OIDC_ISSUER": provider.issuer, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}
    for name, value in (given | {"OIDC_NAME": "Acme"} | names).items():
        monkeypatch.setenv(name, value)
    settings.OIDC = environment.openid_connect(debug=True)
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": environment.allauth_provider(settings.OIDC)}


def sign_in(provider: IdentityProvider, who: str, client: Client | None = None) -> tuple[Client, HttpResponse]:
    """Return a browser in which `who` came back from the provider, and the page that they came to."""
    client = client or Client()
    back = sign_in_at(provider, way_to(client.post("/sso/login/")), who)
    return client, client.get(back.removeprefix("http://testserver"), follow=True)


def user_of(client: Client) -> User | None:
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


def user_in(provider: IdentityProvider, who: str) -> User | None:
    """Return who is signed in after a sign-in at the provider, and sign them out."""
    client, _page = sign_in(provider, who)
    user = user_of(client)
    client.post("/logout/")
    return user


def test_sign_in_page_offers_the_provider_by_name(provider: IdentityProvider, settings: Any) -> None:
    assert "Continue with Acme" in Client().get("/login/").text
    settings.OIDC = {}
    assert "Continue with" not in Client().get("/login/").text
    assert Client().post("/sso/login/").status_code == 404
    assert Client().post("/sso/logout/", {"logout_token": "x"}).status_code == 404


def test_unknown_person_becomes_a_customer(provider: IdentityProvider) -> None:
    provider.set_people(nora=NEW)
    client, _page = sign_in(provider, "nora")
    user = user_of(client)
    assert (user.email, user.name, user.role) == ("nora@example.com", "Nora Novak", "customer")
    assert EmailAddress.objects.get(user=user).verified
    assert not user.has_usable_password()
    assert SocialAccount.objects.get(user=user).extra_data == {}
    client, _page = sign_in(provider, "nora")
    assert user_of(client) == user
    assert SocialAccount.objects.get(user=user).extra_data == {}


def test_account_is_found_by_verified_address_and_then_by_sub(cast: Cast, provider: IdentityProvider) -> None:
    provider.set_people(casey={"email": "Casey@Example.com", "email_verified": True, "name": "C. R."})
    client, _page = sign_in(provider, "casey")
    assert user_of(client) == cast.casey
    assert Client().login(email="casey@example.com", password=PASSWORD)  # the password stays
    provider.set_people(casey={"email": "new@example.com", "email_verified": True, "name": "C. R."})
    client, _page = sign_in(provider, "casey")
    assert user_of(client) == cast.casey
    cast.casey.refresh_from_db()
    assert (cast.casey.email, cast.casey.name) == ("casey@example.com", "Casey Rivers")


def test_unverified_address_opens_no_account(cast: Cast, provider: IdentityProvider) -> None:
    provider.set_people(intruder={"email": "casey@example.com", "email_verified": False, "name": "Casey Rivers"})
    client, page = sign_in(provider, "intruder")
    assert user_of(client) is None
    assert "There is an account with your email address. Sign in with its password." in page.text
    assert not SocialAccount.objects.exists()


def test_provider_vouches_for_the_domains_of_the_setting_only(
    cast: Cast, provider: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, monkeypatch, provider, OIDC_EMAIL_DOMAINS="acme.example,example.com.evil.example")
    provider.set_people(casey={"email": "casey@example.com", "name": "Casey Rivers"})
    assert user_of(sign_in(provider, "casey")[0]) is None
    configure(settings, monkeypatch, provider, OIDC_EMAIL_DOMAINS="example.com")
    assert user_of(sign_in(provider, "casey")[0]) == cast.casey


def test_new_account_with_an_unverified_address_confirms_it_first(provider: IdentityProvider, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    provider.set_people(nora={**NEW, "email_verified": False})
    client, _page = sign_in(provider, "nora")
    assert user_of(client) is None
    assert not EmailAddress.objects.get(email="nora@example.com").verified


def test_person_without_an_address_is_refused_with_a_sentence(provider: IdentityProvider) -> None:
    provider.set_people(nora={"name": "Nora"})
    client, page = sign_in(provider, "nora")
    assert user_of(client) is None
    assert "Acme didn&#x27;t share an email address, which is needed here." in page.text


def test_unconfirmed_sign_up_by_a_stranger_is_replaced(provider: IdentityProvider, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    stranger = {"email": "nora@example.com", "name": "Stranger", "password1": "a-phrase-8", "password2": "a-phrase-8"}
    Client().post("/register/", stranger)
    assert User.objects.get(email="nora@example.com").name == "Stranger"
    provider.set_people(nora=NEW)
    client, _page = sign_in(provider, "nora")
    assert user_of(client).name == "Nora Novak"
    assert not Client().login(email="nora@example.com", password="a-phrase-8")


def test_customer_who_wrote_by_mail_signs_in_to_their_account(provider: IdentityProvider) -> None:
    by_mail = customer_for_address("nora@example.com", "Nora")
    provider.set_people(nora=NEW)
    client, _page = sign_in(provider, "nora")
    assert user_of(client) == by_mail
    assert EmailAddress.objects.get(user=by_mail).verified


def test_deactivated_person_stays_out(cast: Cast, provider: IdentityProvider) -> None:
    cast.casey.is_active = False
    cast.casey.save()
    provider.set_people(casey={"email": "casey@example.com", "email_verified": True, "name": "Casey"})
    client, page = sign_in(provider, "casey")
    assert user_of(client) is None
    assert page.request["PATH_INFO"] == "/inactive/"


def test_second_step_is_still_asked_for(cast: Cast, provider: IdentityProvider) -> None:
    turn_on(signed_in(cast.casey))
    provider.set_people(casey={"email": "casey@example.com", "email_verified": True, "name": "Casey"})
    client, page = sign_in(provider, "casey")
    assert user_of(client) is None
    assert "two-step" in page.request["PATH_INFO"] or "2fa" in page.request["PATH_INFO"]


# -- Role and offices


ROLES = {"OIDC_ROLES": "desk-admins=admin, support=agent", "OIDC_OFFICES": "support-billing=Billing"}


def test_groups_give_role_and_offices_at_each_sign_in(
    cast: Cast, provider: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, monkeypatch, provider, **ROLES)
    provider.set_people(nora={**NEW, "groups": ["support", "support-billing", "choir"]})
    user = user_in(provider, "nora")
    assert (user.role, [office.name for office in user.offices.all()]) == ("agent", ["Billing"])
    provider.set_people(nora={**NEW, "groups": ["support", "desk-admins"]})
    user = user_in(provider, "nora")
    assert (user.role, user.offices.count()) == ("admin", 0)
    provider.set_people(nora={**NEW, "groups": []})
    assert user_in(provider, "nora").role == "customer"


def test_missing_claim_changes_nothing(
    cast: Cast, provider: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    configure(settings, monkeypatch, provider, **ROLES)
    provider.set_people(bao={"email": "bao@example.com", "email_verified": True, "name": "Bao"})
    user = user_of(sign_in(provider, "bao")[0])
    assert (user.role, user.offices.count()) == ("agent", cast.bao.offices.count())
    assert "without the claim groups" in caplog.text


def test_roles_of_the_desk_stay_where_none_are_mapped(cast: Cast, provider: IdentityProvider) -> None:
    provider.set_people(bao={"email": "bao@example.com", "email_verified": True, "name": "Bao", "groups": []})
    user = user_of(sign_in(provider, "bao")[0])
    assert (user.role, user.offices.count() > 0) == ("agent", True)


def test_last_admin_stays_one(
    cast: Cast, provider: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, monkeypatch, provider, **ROLES)
    provider.set_people(ada={"email": "ada@example.com", "email_verified": True, "name": "Ada", "groups": []})
    User.objects.filter(role="admin").exclude(pk=cast.ada.pk).update(role="customer")
    assert user_in(provider, "ada").role == "admin"
    User.objects.create_superuser("second@example.com", PASSWORD, name="Second")
    assert user_in(provider, "ada").role == "customer"


@pytest.mark.parametrize("is_verified", [True, False])
def test_invited_person_gets_what_the_invitation_offers(
    cast: Cast, provider: IdentityProvider, is_verified: bool
) -> None:
    billing = Office.objects.get(name="Billing")
    invitations.invite("nora@example.com", by=cast.ada, role="agent", offices=[billing])
    provider.set_people(nora={**NEW, "email_verified": is_verified})
    sign_in(provider, "nora")
    user = User.objects.get(email="nora@example.com")
    assert (user.role, list(user.offices.all())) == (("agent", [billing]) if is_verified else ("customer", []))
    assert (Invitation.objects.get().accepted_at is not None) is is_verified


# -- Failures at the provider


def test_refusal_at_the_provider_leads_back_with_a_sentence(provider: IdentityProvider) -> None:
    client = Client()
    state = way_to(client.post("/sso/login/")).partition("state=")[2].partition("&")[0]
    page = client.get("/sso/callback/", {"error": "access_denied", "state": state}, follow=True)
    assert page.request["PATH_INFO"] == "/login/"
    assert "Signing in with Acme didn&#x27;t work. Try again, or use your password." in page.text


def test_state_of_another_browser_is_refused(provider: IdentityProvider) -> None:
    provider.set_people(nora=NEW)
    back = sign_in_at(provider, way_to(Client().post("/sso/login/")), "nora")
    client = Client()
    client.get(back.removeprefix("http://testserver"), follow=True)
    assert user_of(client) is None


def test_unreachable_provider_leads_back_with_a_sentence(
    provider: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, monkeypatch, provider, OIDC_ISSUER="http://127.0.0.1:1")
    page = Client().post("/sso/login/", follow=True)
    assert "Signing in with Acme didn&#x27;t work." in page.text


def test_page_leads_to_no_other_site_afterwards(provider: IdentityProvider) -> None:
    provider.set_people(nora=NEW)
    for wanted, target in (("https://evil.example/", "/"), ("/tickets/new/", "/tickets/new/")):
        client = Client()
        back = sign_in_at(provider, way_to(client.post("/sso/login/", {"next": wanted})), "nora")
        assert client.get(back.removeprefix("http://testserver"))["Location"] == target


def test_doctor_finds_a_provider_that_is_away_or_calls_itself_otherwise(
    provider: IdentityProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_single_sign_on() == f"people sign in at {provider.issuer}/auth"
    configure(settings, monkeypatch, provider, OIDC_ISSUER=provider.issuer.replace("127.0.0.1", "localhost"))
    with pytest.raises(Problem) as found:
        check_single_sign_on()
    assert found.value.fix == f"Set OIDC_ISSUER to {provider.issuer}."
    configure(settings, monkeypatch, provider, OIDC_ISSUER=f"{provider.issuer}/realm")
    with pytest.raises(Problem, match="does not describe itself"):
        check_single_sign_on()


# -- Logout at the provider


def sessions_of_nora(provider: IdentityProvider) -> tuple[Client, Client]:
    provider.set_people(nora=NEW)
    return sign_in(provider, "nora")[0], sign_in(provider, "nora")[0]


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def post_token(token: str) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post("/sso/logout/", {"logout_token": token})


def test_logout_token_of_a_person_ends_all_their_sessions(cast: Cast, provider: IdentityProvider) -> None:
    first, second = sessions_of_nora(provider)
    other = signed_in(cast.casey)
    assert is_in(first)
    assert is_in(second)
    answer = post_token(provider.logout_token(sub="nora"))
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    assert [is_in(first), is_in(second), is_in(other)] == [False, False, True]


def test_logout_token_of_a_session_ends_that_one(provider: IdentityProvider) -> None:
    first, second = sessions_of_nora(provider)
    sid = UserSession.objects.get(session_key=first.session.session_key).data["oidc_sid"]
    assert post_token(provider.logout_token(sub="nora", sid=sid)).status_code == 200
    assert [is_in(first), is_in(second)] == [False, True]
    assert post_token(provider.logout_token(sub="another", sid=sid)).status_code == 200
    assert is_in(second)


BAD_TOKENS: dict[str, dict[str, Any]] = {
    "of another provider": {"iss": "https://evil.example"},
    "for another client": {"aud": "another"},
    "expired": {"exp": 1},
    "of an hour ago": {"iat": time.time() - 3600},  # its use is no longer remembered, whenever it expires
    "of the future": {"iat": 4102444800},
    "an ID token": {"nonce": "n", "events": {}},
    "with a nonce": {"nonce": "n"},
    "without an event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "without an id": {"without": ("jti",)},
    "without a time": {"without": ("iat",)},
    "without person and session": {"without": ("sub",)},
    "signed by another key": {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
}


@pytest.mark.parametrize("claims", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_invalid_logout_token_ends_nothing(provider: IdentityProvider, claims: dict[str, Any]) -> None:
    first, _second = sessions_of_nora(provider)
    answer = post_token(provider.logout_token(sub="nora", **claims) if "sub" not in claims else "")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert is_in(first)
    assert post_token(provider.logout_token(sub="nora")).status_code == 200
    assert not is_in(first)


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_text_that_is_no_token_is_refused(provider: IdentityProvider, token: str) -> None:
    assert post_token(token).status_code == 400


def test_logout_token_works_once(provider: IdentityProvider) -> None:
    token = provider.logout_token(sub="nora")
    assert [post_token(token).status_code, post_token(token).status_code] == [200, 400]
    assert mail.outbox == []
