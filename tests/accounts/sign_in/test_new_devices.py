"""A sign-in from a browser that was not used before is announced to the owner; others are not."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.sign_in import known_devices
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
CASEY = "casey@example.com"
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
NEW = "New sign-in to your account"


@pytest.fixture
def owner(cast: Cast) -> Client:
    """Casey's browser, in which they have signed in and out."""
    client = Client(headers=FIREFOX)
    sign_in(client)
    client.post("/logout/")
    return client


def sign_in(client: Client, email: str = CASEY) -> None:
    client.post("/login/", {"login": email, "password": PASSWORD}, REMOTE_ADDR="198.51.100.7")
    assert client.get("/profile/").status_code == 200


def notices() -> list[tuple[str, str]]:
    return [(letter.to[0], letter.subject) for letter in mail.outbox]


def test_sign_in_from_a_new_browser_is_announced_at_every_address(cast: Cast, owner: Client) -> None:
    EmailAddress.objects.create(user=cast.casey, email="second@example.com", verified=True)
    assert notices() == []
    sign_in(owner)
    assert notices() == []
    sign_in(Client(headers=FIREFOX))
    assert sorted(notices()) == [(CASEY, NEW), ("second@example.com", NEW)]
    for text in ("198.51.100.7", "Firefox on Linux", "Was it you?", "http://testserver/profile/sign-ins/"):
        assert text in mail.outbox[0].body
    assert 'href="http://testserver/profile/sign-ins/"' in mail.outbox[0].alternatives[0][0]


def test_first_sign_in_is_not_announced_and_the_second_from_elsewhere_is(cast: Cast) -> None:
    sign_in(Client())
    assert notices() == []
    sign_in(Client())
    assert notices() == [(CASEY, NEW)]


def test_browser_known_by_another_address_of_the_account_is_known(cast: Cast, owner: Client) -> None:
    EmailAddress.objects.create(user=cast.casey, email="second@example.com", verified=True)
    sign_in(owner, "second@example.com")
    assert notices() == []


def test_browser_of_another_account_is_new(cast: Cast, owner: Client) -> None:
    greta = Client()
    sign_in(greta, "greta@example.com")
    greta.post("/logout/")
    sign_in(greta)
    assert notices() == [(CASEY, NEW)]


def test_forged_cookie_is_announced(cast: Cast, owner: Client) -> None:
    client = Client()
    client.cookies[known_devices.DEVICE_COOKIE] = f"{known_devices.digest(CASEY)}:x:y"
    sign_in(client)
    assert notices() == [(CASEY, NEW)]


def test_wrong_password_announces_nothing(cast: Cast, owner: Client) -> None:
    Client().post("/login/", {"login": CASEY, "password": "guess"})
    assert notices() == []


def test_notice_is_in_the_language_of_the_user(cast: Cast, owner: Client) -> None:
    User.objects.filter(pk=cast.casey.pk).update(language="de")
    sign_in(Client(headers={"accept-language": "en"}))
    assert notices() == [(CASEY, "Neue Anmeldung bei Ihrem Konto")]
    assert "Waren Sie das?" in mail.outbox[0].body


def test_token_for_a_password_is_announced(cast: Cast) -> None:
    body = {"email": CASEY, "password": PASSWORD, "name": "Read http://evil.example"}
    for password, status in (("guess", 401), (PASSWORD, 201)):
        answer = Client().post("/api/v1/auth/token/", body | {"password": password}, content_type="application/json")
        assert answer.status_code == status
    assert notices() == [(CASEY, "New API token for your account")]
    assert "evil" not in mail.outbox[0].body
    assert "http://testserver/profile/tokens/" in mail.outbox[0].body
