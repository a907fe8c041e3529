"""Two-step sign-in: a code of the app, or a recovery code, after the password."""

import re

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
PAGE = "/profile/two-step/"


def code_of(secret: str) -> str:
    """Return the code that an authenticator app shows now (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def enter(name: str) -> Client:
    client = Client()
    client.post("/login/", {"login": f"{name}@example.com", "password": PASSWORD})
    return client


def turn_on(client: Client) -> str:
    """Enable two-step sign-in, and return the app's secret."""
    client.post("/reauthenticate/", {"password": PASSWORD})
    secret = client.get(f"{PAGE}totp/activate/").context["form"].secret
    assert client.post(f"{PAGE}totp/activate/", {"code": code_of(secret)}).status_code == 302
    cache.clear()  # a code counts once; the next one would be due in half a minute
    return secret


def recovery_codes(client: Client) -> list[str]:
    return re.findall(r"<li><code>(\w+)</code>", client.get(f"{PAGE}recovery-codes/").text)


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_password_alone_is_not_enough_with_two_step(cast: Cast) -> None:
    secret = turn_on(enter("bao"))
    client = enter("bao")
    assert not is_in(client)
    assert client.post(f"{PAGE}authenticate/", {"code": "000000"}).context["form"].errors
    assert not is_in(client)
    client.post(f"{PAGE}authenticate/", {"code": code_of(secret)})
    assert is_in(client)


def test_wrong_code_does_not_enable_two_step(cast: Cast) -> None:
    client = enter("bao")
    client.post("/reauthenticate/", {"password": PASSWORD})
    client.get(f"{PAGE}totp/activate/")
    assert client.post(f"{PAGE}totp/activate/", {"code": "000000"}).context["form"].errors
    assert is_in(enter("bao"))


def test_qr_code_is_part_of_the_page(cast: Cast) -> None:
    client = enter("bao")
    client.post("/reauthenticate/", {"password": PASSWORD})
    page = client.get(f"{PAGE}totp/activate/").text
    assert 'src="data:image/svg+xml' in page


def test_recovery_code_works_once(cast: Cast) -> None:
    first = enter("bao")
    turn_on(first)
    codes = recovery_codes(first)
    assert len(codes) == 10
    for expected in (True, False):
        client = enter("bao")
        client.post(f"{PAGE}authenticate/", {"code": codes[0]})
        assert is_in(client) == expected


def test_new_recovery_codes_replace_the_old_ones(cast: Cast) -> None:
    client = enter("bao")
    turn_on(client)
    old = recovery_codes(client)
    client.post(f"{PAGE}recovery-codes/generate/")
    assert not set(old) & set(recovery_codes(client))
    assert "text/plain" in client.get(f"{PAGE}recovery-codes/download/")["Content-Type"]


def test_admin_requires_the_second_step(cast: Cast) -> None:
    secret = turn_on(enter("ada"))
    client = Client()
    assert client.get("/admin/", follow=True).request["PATH_INFO"] == "/login/"
    client.post("/login/?next=/admin/", {"login": "ada@example.com", "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    answer = client.post(f"{PAGE}authenticate/?next=/admin/", {"code": code_of(secret)})
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_turning_two_step_off_reauthenticates_and_sends_an_email(cast: Cast) -> None:
    client = enter("bao")
    secret = turn_on(client)
    session = client.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session.save()
    response = client.post(f"{PAGE}totp/deactivate/")
    assert "reauthenticate" in response["Location"]
    client.post(f"{PAGE}reauthenticate/", {"code": code_of(secret)})
    assert client.post(f"{PAGE}totp/deactivate/").status_code == 302
    assert is_in(enter("bao"))
    assert mail.outbox[-1].to == ["bao@example.com"]
