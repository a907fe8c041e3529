"""A stranger with a session, or with yesterday's password, cannot take an account from its owner."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import email_addresses
from accounts.models import AddressConfirmation, ApiToken, User
from accounts.sign_in import tokens
from tests.accounts.sign_in.test_two_step import PAGE, turn_on
from tests.accounts.test_admin import user_page
from tests.support.cast import PASSWORD, Cast
from tests.test_admin import signed_in

pytestmark = pytest.mark.django_db
OWN, SECOND = "casey@example.com", "second@example.com"
NEW_PASSWORD = {"password1": "another-phrase-8", "password2": "another-phrase-8"}


def sign_in(password: str = PASSWORD, *, email: str = OWN) -> Client:
    client = Client()
    client.post("/login/", {"login": email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def latest_link(kind: str) -> str:
    found = [re.search(rf"http://testserver(/{kind}/\S+)", letter.body) for letter in mail.outbox]
    return [match[1] for match in found if match][-1]


def add_address(cast: Cast, *, days_ago: int, email: str = SECOND) -> EmailAddress:
    address = EmailAddress.objects.create(user=cast.casey, email=email, verified=True)
    confirmed_at = timezone.now() - timedelta(days=days_ago)
    AddressConfirmation.objects.create(address=address, confirmed_at=confirmed_at)
    return address


def reset_password(email: str) -> None:
    Client().post("/password/reset/", {"email": email})
    client = Client()
    form = client.get(latest_link("password/reset"), follow=True)
    assert client.post(form.redirect_chain[-1][0], NEW_PASSWORD).status_code == 302


def addresses(cast: Cast) -> dict[str, bool]:
    return dict(EmailAddress.objects.filter(user=cast.casey).values_list("email", "primary"))


def notified(subject: str) -> list[str]:
    return sorted(letter.to[0] for letter in mail.outbox if subject in letter.subject)


@pytest.mark.parametrize(("action", "email"), [("add", "thief@example.com"), ("primary", SECOND), ("remove", SECOND)])
def test_session_alone_changes_no_address(cast: Cast, action: str, email: str) -> None:
    add_address(cast, days_ago=100)
    thief = sign_in()
    response = thief.post("/profile/email/", {f"action_{action}": "", "email": email})
    assert response["Location"].startswith("/reauthenticate/")
    assert addresses(cast) == {OWN: True, SECOND: False}
    assert User.objects.get(pk=cast.casey.pk).email == OWN
    thief.post("/reauthenticate/?next=/profile/email/", {"password": PASSWORD})  # the action is carried out now
    assert addresses(cast) != {OWN: True, SECOND: False}


def test_notices_go_to_every_verified_address(cast: Cast) -> None:
    add_address(cast, days_ago=100)
    EmailAddress.objects.create(user=cast.casey, email="unconfirmed@example.com")
    client = sign_in()
    client.post("/reauthenticate/", {"password": PASSWORD})
    client.post("/profile/email/", {"action_add": "", "email": "third@example.com"})
    assert notified("was added") == [OWN, SECOND]
    client.post("/profile/email/", {"action_primary": "", "email": SECOND})
    assert notified("primary email address") == [OWN, SECOND]
    client.post("/profile/email/", {"action_remove": "", "email": OWN})
    assert notified("was removed") == [OWN, SECOND]
    client.post("/profile/email/", {"action_remove": "", "email": "unconfirmed@example.com"})
    assert notified("was removed") == [OWN, SECOND, SECOND]


def test_password_and_second_step_notices_go_to_every_address(
    cast: Cast, django_capture_on_commit_callbacks: Callable
) -> None:
    add_address(cast, days_ago=100)
    client = sign_in()
    with django_capture_on_commit_callbacks(execute=True):
        turn_on(client)
    assert notified("turned on") == [OWN, SECOND]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{PAGE}recovery-codes/generate/")
        client.post(f"{PAGE}totp/deactivate/")
    assert notified("recovery codes") == notified("turned off") == [OWN, SECOND]
    client.post("/profile/password/", {"oldpassword": PASSWORD} | NEW_PASSWORD)
    assert notified("password was changed") == [OWN, SECOND]
    reset_password(OWN)
    assert notified("password was reset") == [OWN, SECOND]


def test_notice_repeats_no_words_of_the_browser(cast: Cast) -> None:
    client = sign_in()
    words = "Mozilla/5.0 (X11; Linux) Firefox/130 http://evil.example"
    client.post("/profile/password/", {"oldpassword": PASSWORD} | NEW_PASSWORD, headers={"user-agent": words})
    assert "Firefox on Linux" in mail.outbox[-1].body
    assert "evil" not in mail.outbox[-1].body


@pytest.mark.parametrize("through", [OWN, SECOND])
def test_password_reset_removes_a_recent_address(cast: Cast, through: str) -> None:
    add_address(cast, days_ago=29).set_as_primary()
    thief = sign_in()
    tokens.issue(cast.casey, name="Kept for later", days=365)
    reset_password(through)
    assert addresses(cast) == {OWN: True}
    assert User.objects.get(pk=cast.casey.pk).email == OWN
    assert not is_in(thief)
    assert not ApiToken.objects.exists()
    assert notified("was removed") == [OWN, SECOND]
    assert is_in(sign_in(NEW_PASSWORD["password1"]))
    assert not is_in(sign_in(NEW_PASSWORD["password1"], email=SECOND))


def test_password_reset_keeps_addresses_of_long_ago(cast: Cast) -> None:
    add_address(cast, days_ago=31).set_as_primary()
    reset_password(OWN)
    assert addresses(cast) == {OWN: False, SECOND: True}


def test_password_reset_keeps_the_first_of_two_recent_addresses(cast: Cast) -> None:
    AddressConfirmation.objects.create(
        address=EmailAddress.objects.get(email=OWN), confirmed_at=timezone.now() - timedelta(days=2)
    )
    add_address(cast, days_ago=1)
    reset_password(SECOND)
    assert addresses(cast) == {OWN: True}


def test_password_set_by_an_admin_removes_recent_addresses(cast: Cast) -> None:
    add_address(cast, days_ago=1).set_as_primary()
    page = user_page(cast.casey).replace("change", "password")
    fields = NEW_PASSWORD | {"usable_password": "true", "set-password": "1"}
    assert signed_in(cast.ada).post(page, fields).status_code == 302
    assert addresses(cast) == {OWN: True}
    assert User.objects.get(pk=cast.casey.pk).email == OWN


def test_unconfirmed_address_receives_no_link_for_a_new_password(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.casey, email="thief@example.com")
    for email, expected in (("thief@example.com", "No account"), (OWN, "Reset your password")):
        Client().post("/password/reset/", {"email": email})
        assert expected in mail.outbox[-1].subject


def test_confirmed_address_is_dated(cast: Cast) -> None:
    client = sign_in()
    client.post("/reauthenticate/", {"password": PASSWORD})
    client.post("/profile/email/", {"action_add": "", "email": SECOND})
    client.post(latest_link("email/confirm"))
    assert AddressConfirmation.objects.get().address.email == SECOND
    assert email_addresses.remove_recent_addresses(cast.casey) == [SECOND]


@pytest.mark.parametrize(("minutes", "fails"), [(59, False), (61, True)])
def test_link_for_a_new_password_is_valid_for_an_hour(
    cast: Cast, minutes: int, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Client().post("/password/reset/", {"email": OWN})
    later = datetime.now() + timedelta(minutes=minutes)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda _generator: later)
    assert bool(Client().get(latest_link("password/reset"), follow=True).context.get("token_fail")) == fails


def test_session_alone_downloads_no_personal_data(cast: Cast) -> None:
    thief = sign_in()
    assert thief.post("/profile/data/")["Location"].startswith("/reauthenticate/")
    answer = thief.post("/reauthenticate/?next=/profile/data/", {"password": PASSWORD})
    assert answer["Content-Type"] == "application/zip"
    answer.close()
