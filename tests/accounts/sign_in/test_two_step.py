"""Two-step sign-in: a code of the app, or a recovery code, after the password."""

import base64
import re
import time
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import Settings

from realtime.utils.encryption import decrypt
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
PAGE = "/profile/two-step/"


def code_of(secret: str) -> str:
    """Return the code that an authenticator app shows now (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, this_step()))


def this_step() -> int:
    return int(time.time()) // app_settings.TOTP_PERIOD


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


@pytest.mark.parametrize(("steps", "is_accepted"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_code_of_a_neighbouring_step_is_accepted_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, steps: int, is_accepted: bool
) -> None:
    now = time.time()
    monkeypatch.setattr(auth.time, "time", lambda: now)
    secret, first, second = turn_on(enter("bao")), enter("bao"), enter("bao")
    code = format_hotp_value(hotp_value(secret, this_step() + steps))
    first.post(f"{PAGE}authenticate/", {"code": f"{code[:3]} {code[3:]}"})
    assert is_in(first) is is_accepted
    cache.delete(f"allauth.mfa.totp.used?user={cast.bao.pk}&code={code}")  # as half a minute later
    second.post(f"{PAGE}authenticate/", {"code": code})
    assert not is_in(second)


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


def test_secrets_are_encrypted_in_the_database(cast: Cast) -> None:
    client = enter("bao")
    secret = turn_on(client)
    stored = dict(Authenticator.objects.values_list("type", "data"))
    assert secret not in str(stored)
    assert decrypt(stored["totp"]["secret"], purpose="second step") == secret
    assert decrypt(stored["recovery_codes"]["seed"], purpose="second step") is not None
    assert not any(code in str(stored) for code in recovery_codes(client))


@pytest.mark.parametrize("code", ["", "000000"])
def test_secret_of_another_secret_key_opens_nothing(
    cast: Cast, settings: Settings, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    turn_on(enter("bao"))
    settings.SECRET_KEY = "another-" + "y" * 40
    client = enter("bao")
    client.post(f"{PAGE}authenticate/", {"code": code or code_of(base64.b32encode(b"").decode())})
    assert not is_in(client)
    assert "second step not readable" in caplog.text


def test_code_that_turns_two_step_on_is_used_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = this_step()
    monkeypatch.setattr(auth, "yield_hotp_counters_from_time", lambda: [counter])  # one code all the time
    client = enter("bao")
    client.post("/reauthenticate/", {"password": PASSWORD})
    secret = client.get(f"{PAGE}totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, counter))
    assert client.post(f"{PAGE}totp/activate/", {"code": code}).status_code == 302
    other = enter("bao")
    assert other.post(f"{PAGE}authenticate/", {"code": code}).context["form"].errors
    assert not is_in(other)
    body = {"email": "bao@example.com", "password": PASSWORD, "code": code}
    assert Client().post("/api/v1/auth/token/", body, content_type="application/json").status_code == 401


def test_owner_is_notified_once_of_several_wrong_codes(cast: Cast) -> None:
    turn_on(enter("bao"))
    mail.outbox.clear()
    client = enter("bao")
    for _ in range(4):
        client.post(f"{PAGE}authenticate/", {"code": "000000"})
    assert mail.outbox == []
    body = {"email": "bao@example.com", "password": PASSWORD, "code": "000000"}
    answers = [Client().post("/api/v1/auth/token/", body, content_type="application/json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 429, 429]
    assert [(letter.subject, letter.to) for letter in mail.outbox] == [
        ("Someone entered your password", ["bao@example.com"])
    ]


def blocked(client: Client, code: str, **extra: str) -> bool:
    """Return whether the code was refused without being checked."""
    answer = client.post(f"{PAGE}authenticate/", {"code": code}, **extra)
    return answer.status_code == 200 and "Too many failed login attempts" in answer.text


def test_wrong_codes_of_a_stranger_do_not_lock_the_owner_out(cast: Cast) -> None:
    owner = enter("bao")
    secret = turn_on(owner)
    owner.post("/logout/")
    stranger = enter("bao")
    addresses = [f"198.51.100.{number}" for number in range(8)]
    answers = [blocked(stranger, "000000", REMOTE_ADDR=address) for address in addresses]
    assert answers == [False] * 5 + [True] * 3
    assert blocked(enter("bao"), code_of(secret)), "The right code from a new browser counts with the stranger's."
    owner.post("/login/", {"login": "bao@example.com", "password": PASSWORD})
    assert not is_in(owner)
    owner.post(f"{PAGE}authenticate/", {"code": code_of(secret)})
    assert is_in(owner)


def test_known_browser_may_enter_five_wrong_codes(cast: Cast) -> None:
    owner = enter("bao")
    secret = turn_on(owner)
    owner.post("/logout/")
    owner.post("/login/", {"login": "bao@example.com", "password": PASSWORD})
    assert [blocked(owner, "000000") for _ in range(6)] == [False] * 5 + [True]
    assert blocked(owner, code_of(secret))


def test_right_code_and_new_password_end_the_count(cast: Cast) -> None:
    from tests.accounts.sign_in.test_account_takeover import NEW_PASSWORD, reset_password

    secret = turn_on(enter("bao"))
    client = enter("bao")
    assert not any(blocked(client, "000000") for _ in range(4))
    client.post(f"{PAGE}authenticate/", {"code": code_of(secret)})
    assert is_in(client)
    stranger = enter("bao")
    assert [blocked(stranger, "000000") for _ in range(6)] == [False] * 5 + [True]
    reset_password("bao@example.com")
    fresh = Client()
    fresh.post("/login/", {"login": "bao@example.com", "password": NEW_PASSWORD["password1"]})
    assert not blocked(fresh, "000000")


def test_migration_encrypts_secrets_and_back(cast: Cast) -> None:
    plain = [
        ("totp", {"secret": "JBSWY3DPEHPK3PXP"}),
        ("recovery_codes", {"migrated_codes": ["12345678", "87654321"], "used_mask": 0}),
    ]
    for kind, data in plain:
        Authenticator.objects.create(user=cast.bao, type=kind, data=data)
    Authenticator.objects.create(user=cast.dana, type="recovery_codes", data={"seed": "00ff", "used_mask": 3})
    migration = import_module("accounts.migrations.0005_encrypt_second_steps")
    editor = SimpleNamespace(connection=connection)
    migration.encrypt_secrets(apps, editor)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert not any(text in stored for text in ("JBSWY3DPEHPK3PXP", "12345678", "00ff"))
    client = enter("bao")
    client.post(f"{PAGE}authenticate/", {"code": "87654321"})
    assert is_in(client)
    migration.decrypt_secrets(apps, editor)
    totp = Authenticator.objects.get(type="totp")
    assert totp.data == {"secret": "JBSWY3DPEHPK3PXP"}
    assert Authenticator.objects.get(user=cast.dana).data == {"seed": "00ff", "used_mask": 3}
