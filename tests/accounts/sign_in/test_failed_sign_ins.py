"""Wrong passwords from elsewhere do not keep an owner out of their account, and the owner is notified."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.sign_in.known_devices import DEVICE_COOKIE
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
CASEY = "casey@example.com"
ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}
BLOCKED = "Too many failed login attempts"


def try_password(client: Client, password: str, *, email: str = CASEY, **extra: str) -> str:
    return client.post("/login/", {"login": email, "password": password}, **extra).content.decode()


def fail(times: int, **extra: str) -> list[str]:
    return [try_password(Client(), f"guess {number}", **extra) for number in range(times)]


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def known_device() -> Client:
    """Return a browser in which Casey has signed in and out."""
    client = Client()
    try_password(client, PASSWORD)
    assert is_in(client)
    client.post("/logout/")
    return client


def test_attempts_from_elsewhere_do_not_lock_the_owner_out(cast: Cast) -> None:
    answers = fail(8, **ELSEWHERE)
    assert [BLOCKED in answer for answer in answers] == [False] * 5 + [True] * 3
    owner = Client()
    try_password(owner, PASSWORD)
    assert is_in(owner)


def test_known_device_is_counted_apart_from_its_address(cast: Cast) -> None:
    owner = known_device()
    assert BLOCKED in fail(6)[-1]
    stranger = Client()
    try_password(stranger, PASSWORD)
    assert not is_in(stranger)
    try_password(owner, PASSWORD)
    assert is_in(owner)


def test_known_device_has_a_limit_too(cast: Cast) -> None:
    owner = known_device()
    answers = [try_password(owner, f"guess {number}") for number in range(6)]
    assert [BLOCKED in answer for answer in answers] == [False] * 5 + [True]


def test_unknown_devices_have_a_limit_together(cast: Cast, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login_failed_account": "7/h/key"}
    owner = known_device()
    answers = [try_password(Client(), "guess", REMOTE_ADDR=f"198.51.100.{number}") for number in range(9)]
    assert [BLOCKED in answer for answer in answers] == [False] * 7 + [True] * 2
    try_password(owner, PASSWORD)
    assert is_in(owner)


def test_cookie_of_one_account_is_none_of_another(cast: Cast) -> None:
    greta = Client()
    try_password(greta, PASSWORD, email="greta@example.com")
    greta.post("/logout/")
    fail(5)
    assert BLOCKED in try_password(greta, PASSWORD)


@pytest.mark.parametrize("value", ["", "x", "x:y:z", "IjEi:1xXcPF:lf7i6qjkgx7p35FMcRbdYvFLP7IEOn-ySWwADxKqGRU"])
def test_forged_cookie_is_no_known_device(cast: Cast, value: str) -> None:
    fail(5)
    client = Client()
    client.cookies[DEVICE_COOKIE] = value
    assert BLOCKED in try_password(client, PASSWORD)


def test_cookie_names_no_one_and_is_for_the_server_only(cast: Cast) -> None:
    cookie = known_device().cookies[DEVICE_COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert "casey" not in cookie.value


def test_forged_port_does_not_renew_the_attempts(cast: Cast) -> None:
    answers = [try_password(Client(), "guess", HTTP_HOST=f"testserver:{port}") for port in range(1, 8)]
    assert BLOCKED in answers[-1]


@pytest.mark.parametrize("spelling", ["CASEY@example.com", " casey@example.com", "Casey@Example.com "])
def test_other_spelling_of_the_address_does_not_renew_the_attempts(cast: Cast, spelling: str) -> None:
    fail(5)
    assert BLOCKED in try_password(Client(), "guess", email=spelling)


def test_api_counts_with_the_page(cast: Cast) -> None:
    fail(5)
    body = {"email": CASEY, "password": PASSWORD}
    for address, status in (("127.0.0.1", 429), ("198.51.100.7", 201)):
        response = Client().post("/api/v1/auth/token/", body, content_type="application/json", REMOTE_ADDR=address)
        assert response.status_code == status


def test_owner_is_notified_of_a_lock_out_once_an_hour_at_all_addresses(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.casey, email="second@example.com", verified=True)
    fail(5, **ELSEWHERE)
    assert mail.outbox == []
    fail(3, **ELSEWHERE)
    fail(8, REMOTE_ADDR="203.0.113.9")
    assert sorted(letter.to[0] for letter in mail.outbox) == [CASEY, "second@example.com"]
    assert "198.51.100.7" in mail.outbox[0].body


def test_no_notice_where_there_is_no_account_or_only_the_address_is_over_its_limit(cast: Cast) -> None:
    for _ in range(7):
        try_password(Client(), "guess", email="unknown@example.com")
    for number in range(20):
        try_password(Client(), "guess", email=f"other-{number}@example.com", **ELSEWHERE)
    assert BLOCKED in try_password(Client(), "guess", **ELSEWHERE)
    assert mail.outbox == []


def test_lock_ends_with_a_new_password(cast: Cast) -> None:
    from tests.accounts.sign_in.test_account_takeover import NEW_PASSWORD, reset_password

    fail(6)
    reset_password(CASEY)
    client = Client()
    try_password(client, NEW_PASSWORD["password1"])
    assert is_in(client)
