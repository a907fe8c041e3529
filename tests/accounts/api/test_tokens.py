"""API tokens: created after reauthentication, shown once, stored as a hash, revoked at once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiToken, User
from accounts.sign_in import tokens
from realtime.models import Broadcast
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
IMPORT = {"name": "Invoice import", "days": "90", "scope": "write"}


def signed_in(name: str) -> Client:
    client = Client()
    client.post("/login/", {"login": f"{name}@example.com", "password": PASSWORD})
    client.post("/reauthenticate/", {"password": PASSWORD})
    return client


def make(client: Client, **fields: Any) -> str:
    page = client.post("/profile/tokens/", IMPORT | fields).text
    return re.search(r'id="secret"[^>]* value="([^"]+)"', page)[1]


def whose(secret: str) -> User | None:
    try:
        return TokenAuthentication().authenticate_credentials(secret.encode())[0]
    except AuthenticationFailed:
        return None


def test_token_is_shown_once_and_stored_as_a_hash(cast: Cast) -> None:
    client = signed_in("bao")
    secret = make(client)
    assert whose(secret) == cast.bao
    token = ApiToken.objects.get()
    assert secret not in (token.digest, token.token_key)
    page = client.get("/profile/tokens/")
    assert "Invoice import" in page.text
    assert secret not in page.text
    assert token.digest not in page.text
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("days", [30, 90, 365])
def test_token_expires(cast: Cast, days: int) -> None:
    make(signed_in("bao"), days=str(days))
    left = ApiToken.objects.get().expiry - timezone.now()
    assert timedelta(days=days) - timedelta(minutes=1) < left <= timedelta(days=days)


def test_expired_token_is_refused(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert whose(secret) is None


def test_revoked_token_is_refused(cast: Cast) -> None:
    client = signed_in("bao")
    secret = make(client)
    client.post(f"/profile/tokens/{ApiToken.objects.get().id}/revoke/")
    assert whose(secret) is None


def test_token_of_a_deactivated_user_is_refused(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    cast.bao.is_active = False
    cast.bao.save()
    assert whose(secret) is None


def test_user_cannot_see_or_revoke_the_token_of_another_user(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    casey = signed_in("casey")
    assert "Revoke" not in casey.get("/profile/tokens/").text
    assert casey.post(f"/profile/tokens/{ApiToken.objects.get().id}/revoke/").status_code == 404
    assert whose(secret) == cast.bao


def test_creating_a_token_requires_recent_authentication(cast: Cast) -> None:
    client = signed_in("bao")
    session = client.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session.save()
    response = client.post("/profile/tokens/", IMPORT)
    assert response["Location"].startswith("/reauthenticate/")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("days", "36500"), ("days", "x"), ("scope", ""), ("scope", "admin")]
)
def test_invalid_fields_are_named(cast: Cast, field: str, value: str) -> None:
    response = signed_in("bao").post("/profile/tokens/", IMPORT | {field: value})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}


def test_number_of_tokens_is_limited(cast: Cast) -> None:
    client = signed_in("bao")
    for _ in range(20):
        ApiToken.objects.create(user=cast.bao, name="x")
    response = client.post("/profile/tokens/", IMPORT)
    assert (response.status_code, ApiToken.objects.count()) == (422, 20)
    assert "Revoke one first" in response.text


def test_token_identifies_its_user(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    assert tokens.user_of_token(secret) == (cast.bao, str(ApiToken.objects.get().id))
    assert tokens.bearer(secret) == (cast.bao, ApiToken.objects.get().expiry)


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "\x00", "é", "\ud800", "0" * 100_000])
def test_unknown_token_has_no_user(cast: Cast, token: str) -> None:
    make(signed_in("bao"))
    assert tokens.user_of_token(token) is None
    assert tokens.bearer(token) is None


def test_new_password_revokes_all_tokens(cast: Cast) -> None:
    client = signed_in("bao")
    secret, caseys = make(client), make(signed_in("casey"))
    words = {"oldpassword": PASSWORD, "password1": "another-phrase-9", "password2": "another-phrase-9"}
    client.post("/profile/password/", words)
    assert tokens.user_of_token(secret) is None
    assert tokens.user_of_token(caseys)[0] == cast.casey


def test_revoked_token_writes_a_revocation_to_the_log(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    before = Broadcast.objects.count()
    ApiToken.objects.get().delete()
    assert Broadcast.objects.count() == before + 1
    assert tokens.user_of_token(secret) is None
