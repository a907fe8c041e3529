"""An address that an admin or a command writes replaces all others, which open nothing from then on."""

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, User
from accounts.sign_in import tokens
from tests.accounts.sign_in.test_two_step import PAGE, code_of, turn_on
from tests.accounts.test_admin import user_page
from tests.support.cast import PASSWORD, Cast
from tests.support.sign_in import reauthenticate
from tests.test_admin import save, signed_in

pytestmark = pytest.mark.django_db
NEW = "casey.rivers@example.org"
Replace = Callable[[Cast], None]


def in_the_admin(cast: Cast) -> None:
    assert save(signed_in(cast.ada), user_page(cast.casey), email=NEW).status_code == 302


def by_command(cast: Cast) -> None:
    call_command("change_email", "CASEY@example.com", NEW)


@pytest.fixture(params=[in_the_admin, by_command])
def replace(request: pytest.FixtureRequest) -> Replace:
    return request.param


def link(kind: str) -> str:
    """Return the latest link of a kind in the mails that were sent."""
    found = [re.search(rf"http://testserver(/{kind}/\S+)", letter.body) for letter in mail.outbox]
    return [match[1] for match in found if match][-1]


def sign_in(email: str) -> Client:
    client = Client()
    client.post("/login/", {"login": email, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_new_address_is_the_only_one(cast: Cast, replace: Replace) -> None:
    EmailAddress.objects.create(user=cast.casey, email="second@example.com", verified=True)
    replace(cast)
    rows = EmailAddress.objects.filter(user=cast.casey).values_list("email", "verified", "primary")
    assert list(rows) == [(NEW, True, True)]
    assert is_in(sign_in(NEW))
    assert not any(is_in(sign_in(email)) for email in ("casey@example.com", "second@example.com"))


@pytest.mark.parametrize("email", ["casey@example.com", "second@example.com"])
def test_reset_links_of_the_old_addresses_stop_working(cast: Cast, replace: Replace, email: str) -> None:
    EmailAddress.objects.create(user=cast.casey, email="second@example.com", verified=True)
    client = Client()
    client.post("/password/reset/", {"email": email})
    opened = client.get(link("password/reset"), follow=True)  # the page was open before the change
    assert opened.context["form"]
    replace(cast)
    assert Client().get(link("password/reset"), follow=True).context["token_fail"]
    new = {"password1": "another-phrase-8", "password2": "another-phrase-8"}
    assert client.post(opened.redirect_chain[-1][0], new).context["token_fail"]
    sent = len(mail.outbox)
    Client().post("/password/reset/", {"email": email})
    assert "password/reset/" not in "".join(letter.body for letter in mail.outbox[sent:])


def test_confirmation_link_stops_working(cast: Cast, replace: Replace) -> None:
    client = sign_in("casey@example.com")
    client.post("/reauthenticate/", {"password": PASSWORD})
    client.post("/profile/email/", {"action_add": "", "email": "third@example.com"})
    confirm = link("email/confirm")
    assert "/login/" in Client().get(confirm)["Location"]
    replace(cast)
    assert Client().post(confirm).status_code == 404
    assert not EmailAddress.objects.filter(email="third@example.com").exists()


def test_sessions_and_tokens_end(cast: Cast, replace: Replace) -> None:
    client = sign_in("casey@example.com")
    _token, secret = tokens.issue(cast.casey, name="Import", days=30)
    replace(cast)
    assert not is_in(client)
    assert not UserSession.objects.filter(user=cast.casey).exists()
    assert not ApiToken.objects.exists()
    assert Client().get("/api/v1/me/", headers={"authorization": f"Bearer {secret}"}).status_code == 401
    body = {"email": "casey@example.com", "password": PASSWORD}
    assert Client().post("/api/v1/auth/token/", body, content_type="application/json").status_code == 401


def test_second_step_that_waits_does_not_open_the_account(cast: Cast, replace: Replace) -> None:
    secret = turn_on(sign_in("casey@example.com"))
    waiting = sign_in("casey@example.com")
    replace(cast)
    waiting.post(f"{PAGE}authenticate/", {"code": code_of(secret)})
    assert not is_in(waiting)


def test_old_address_is_free_for_another_person(cast: Cast, replace: Replace) -> None:
    replace(cast)
    assert save(signed_in(cast.ada), user_page(cast.greta), email="casey@example.com").status_code == 302
    assert User.objects.get(email="casey@example.com") == cast.greta
    assert is_in(sign_in("casey@example.com"))


def test_old_address_is_free_for_a_sign_up(cast: Cast, replace: Replace) -> None:
    replace(cast)
    new = {"name": "Successor", "email": "casey@example.com", "password1": "a-long-phrase-7"}
    Client().post("/register/", new | {"password2": "a-long-phrase-7"})
    assert User.objects.get(email="casey@example.com").name == "Successor"
    assert link("email/confirm")


def test_user_is_notified_at_the_old_and_the_new_address(cast: Cast, replace: Replace) -> None:
    replace(cast)
    assert {letter.to[0] for letter in mail.outbox} == {"casey@example.com", NEW}
    assert not any(NEW in letter.body for letter in mail.outbox)  # the old mailbox may be a stranger's


def test_admin_who_changes_their_own_address_stays_signed_in(cast: Cast) -> None:
    client, other = sign_in("ada@example.com"), sign_in("ada@example.com")
    reauthenticate(client, cast.ada)
    assert save(client, user_page(cast.ada), email="ada@example.org").status_code == 302
    assert (is_in(client), is_in(other)) == (True, False)


def test_other_changes_in_the_admin_keep_the_addresses(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.casey, email="second@example.com", verified=True)
    client = sign_in("casey@example.com")
    save(signed_in(cast.ada), user_page(cast.casey), name="Casey R.")
    assert EmailAddress.objects.filter(user=cast.casey).count() == 2
    assert is_in(client)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("missing@example.com", NEW, "No user has the address"),
        ("casey@example.com", "GRETA@example.com", "belongs to another user"),
        ("casey@example.com", "second@example.com", "belongs to another user"),
        ("casey@example.com", "not an address", "valid email address"),
    ],
)
def test_command_refuses_wrong_addresses(cast: Cast, old: str, new: str, words: str) -> None:
    EmailAddress.objects.create(user=cast.greta, email="second@example.com", verified=True)
    with pytest.raises(CommandError, match=words):
        call_command("change_email", old, new)
    assert User.objects.get(pk=cast.casey.pk).email == "casey@example.com"
