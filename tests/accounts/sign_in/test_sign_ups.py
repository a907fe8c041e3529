"""A sign-up with another person's address does not get in their way, nor they into it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.sign_in import sign_ups
from tests.accounts.test_admin import user_page
from tests.support.cast import PASSWORD, Cast
from tests.test_admin import save, signed_in
from tickets import services

pytestmark = pytest.mark.django_db
ADDRESS = "victim@example.com"
ATTACKER = {"name": "Mallory", "email": ADDRESS, "password1": "mallorys-phrase-1", "password2": "mallorys-phrase-1"}
OWNER = {"name": "Vic Tim", "email": ADDRESS, "password1": "the-owners-phrase-2", "password2": "the-owners-phrase-2"}


def sign_up(fields: dict[str, str]) -> Client:
    client = Client()
    assert client.post("/register/", fields)["Location"] == "/email/sent/"
    return client


def link() -> str:
    found = [re.search(r"/email/confirm/\S+", letter.body) for letter in mail.outbox]
    return [match[0] for match in found if match][-1]


def confirm(client: Client, password: str, address: str = "") -> Any:
    return client.post(address or link(), {"password": password})


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def signed_in_by_form(email: str, password: str) -> Client:
    client = Client()
    client.post("/login/", {"login": email, "password": password})
    return client


def test_link_opens_no_account_of_which_its_reader_has_no_password() -> None:
    sign_up(ATTACKER)
    for password in ("", "guess", OWNER["password1"]):
        response = confirm(Client(), password)
        assert response.status_code == 422
        assert response.context["form"].errors["password"]
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_later_sign_up_replaces_the_unconfirmed_one() -> None:
    sign_up(ATTACKER)
    sign_up(OWNER)
    assert User.objects.get().name == "Vic Tim"
    assert confirm(Client(), ATTACKER["password1"]).status_code == 422
    owner = Client()
    assert confirm(owner, OWNER["password1"]).status_code == 302
    assert is_in(owner)
    assert not is_in(signed_in_by_form(ADDRESS, ATTACKER["password1"]))


def test_first_mails_link_serves_a_second_sign_up_within_the_limit_of_mails() -> None:
    sign_up(ATTACKER)
    first = link()
    sign_up(OWNER)
    assert len(mail.outbox) == 1  # one mail in three minutes
    assert confirm(Client(), OWNER["password1"], first).status_code == 302


def test_confirmed_account_is_not_replaced() -> None:
    sign_up(OWNER)
    confirm(Client(), OWNER["password1"])
    sign_up(ATTACKER)
    user = User.objects.get()
    assert user.name == "Vic Tim"
    assert user.check_password(OWNER["password1"])


@pytest.mark.parametrize("person", ["casey", "bao", "ada", "hiro"])
def test_account_of_an_admins_making_is_not_replaced(cast: Cast, person: str) -> None:
    user = getattr(cast, person)
    sign_up(ATTACKER | {"email": user.email})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_added_address_does_not_keep_its_owner_from_signing_up(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.greta, email=ADDRESS)
    sign_up(OWNER)
    owner = Client()
    assert confirm(owner, OWNER["password1"]).status_code == 302
    assert is_in(owner)
    rows = EmailAddress.objects.filter(email=ADDRESS, verified=True).values_list("user__name", "primary")
    assert list(rows) == [("Vic Tim", True)]


def test_added_address_is_confirmed_by_its_signed_in_owner_only(cast: Cast) -> None:
    casey = signed_in_by_form("casey@example.com", PASSWORD)
    casey.post("/reauthenticate/", {"password": PASSWORD})
    casey.post("/profile/email/", {"action_add": "", "email": ADDRESS})
    mail_link, added = link(), EmailAddress.objects.filter(email=ADDRESS)
    assert unquote(Client().get(mail_link)["Location"]) == f"/login/?next={mail_link}"
    assert confirm(Client(), PASSWORD, mail_link).status_code == 302
    greta = signed_in(cast.greta)
    assert greta.get(mail_link).context["state"] == "other_account"
    assert greta.post(mail_link).context["state"] == "other_account"
    assert is_in(greta)  # following a link signs no one out
    assert not added.get().verified
    assert casey.get(mail_link).context["state"] == "confirm"
    assert casey.post(mail_link)["Location"] == "/profile/email/"
    assert added.get().verified
    assert casey.get(mail_link).status_code == 404


def test_address_confirmed_elsewhere_meanwhile_is_taken(cast: Cast) -> None:
    sign_up(OWNER)
    EmailAddress.objects.create(user=cast.greta, email=ADDRESS, verified=True)
    assert confirm(Client(), OWNER["password1"]).context["state"] == "taken"


def test_confirmation_at_the_same_moment_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(OWNER)
    EmailAddress.objects.create(user=cast.greta, email=ADDRESS, verified=True)
    monkeypatch.setattr(EmailAddress, "can_set_verified", lambda _address: True)
    client = Client()
    confirm(client, OWNER["password1"])
    assert not is_in(client)


def test_guessing_at_the_link_counts_as_failed_sign_ins() -> None:
    sign_up(ATTACKER)
    for guess in range(6):
        response = confirm(Client(), f"guess {guess}")
    assert "Too many" in response.text


def test_admin_may_use_the_address_of_an_unconfirmed_sign_up(cast: Cast) -> None:
    sign_up(ATTACKER)
    assert save(signed_in(cast.ada), user_page(cast.casey), email=ADDRESS).status_code == 302
    assert User.objects.get(email=ADDRESS) == cast.casey
    assert Client().get(link()).status_code == 404


def test_command_may_use_the_address_of_an_unconfirmed_sign_up(cast: Cast) -> None:
    sign_up(ATTACKER)
    call_command("change_email", "casey@example.com", ADDRESS)
    assert User.objects.get(email=ADDRESS) == cast.casey


def test_unconfirmed_accounts_are_deleted_after_a_week(cast: Cast, capsys: pytest.CaptureFixture) -> None:
    for name, days in (("old", 8), ("new", 6)):
        sign_up(OWNER | {"email": f"{name}@example.com"})
        joined = timezone.now() - timedelta(days=days)
        User.objects.filter(email=f"{name}@example.com").update(date_joined=joined)
    writer = User.objects.create(email="writer@example.com", name="Writer", password="x")
    services.open_ticket(by=writer, subject="By mail", content="x", office=cast.billing)
    imported = User.objects.create(email="imported@example.com", name="Imported", password="!")
    for user in (writer, imported, cast.casey):
        User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=30))
    call_command("prune_sign_ups")
    assert capsys.readouterr().out == "1 unconfirmed accounts deleted.\n0 old invitations deleted.\n"
    left = User.objects.filter(email__in=["old@example.com", "new@example.com"])
    assert [user.email for user in left] == ["new@example.com"]
    assert User.objects.filter(pk__in=[writer.pk, imported.pk, cast.casey.pk]).count() == 3


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the passwords that are hashed."""
    made: list[str] = []
    encode = MD5PasswordHasher.encode

    def record(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        made.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", record)
    return made


def test_sign_up_hashes_once_whether_the_address_is_known_or_not(cast: Cast, hashes: list[str]) -> None:
    sign_up(ATTACKER)
    for email in ("free@example.com", ADDRESS, "casey@example.com", "second@example.com"):
        hashes.clear()
        EmailAddress.objects.get_or_create(user=cast.greta, email="second@example.com", verified=True)
        sign_up(OWNER | {"email": email})
        assert hashes == [OWNER["password1"]], email


def test_sign_in_hashes_once_whether_the_address_is_known_or_not(cast: Cast, hashes: list[str]) -> None:
    for email in ("casey@example.com", "unknown@example.com"):
        hashes.clear()
        signed_in_by_form(email, "wrong")
        assert hashes == ["wrong"], email


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make each sign-up find no account, as when the same one is sent twice at once."""
    return lambda: monkeypatch.setattr(sign_ups, "is_taken", lambda _email: False)


def test_same_sign_up_twice_at_once_makes_one_account(twice: Callable, hashes: list[str]) -> None:
    sign_up(OWNER)
    confirm(Client(), OWNER["password1"])
    twice()
    hashes.clear()
    sign_up(OWNER)  # fails on the constraint, and answers as for any address
    assert User.objects.count() == 1
    assert len(hashes) == 1


def test_same_sign_up_twice_at_once_without_confirmation(twice: Callable, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    assert is_in(signed_up := Client()) or signed_up.post("/register/", OWNER).status_code == 302
    assert Client().post("/register/", ATTACKER).context["form"].errors["email"]
    twice()
    assert Client().post("/register/", ATTACKER)["Location"] == "/login/"
    assert User.objects.get().name == "Vic Tim"


def test_constraint_refuses_the_second_of_two_accounts() -> None:
    sign_up(OWNER)
    with pytest.raises(IntegrityError):
        User.objects.create(email=ADDRESS.upper(), name="Twin")
