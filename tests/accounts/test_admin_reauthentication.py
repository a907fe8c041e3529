"""A session alone changes nothing in Django's admin about people and what they sign in with."""

from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from tests.accounts.test_admin import user_page
from tests.support.cast import PASSWORD, Cast
from tests.test_admin import filled_in, save, signed_in

pytestmark = pytest.mark.django_db
SECRET = {"password1": "a-long-phrase-7", "password2": "a-long-phrase-7", "usable_password": "true"}


@pytest.fixture
def ada(cast: Cast) -> Client:
    """Ada's session, without her password."""
    client = Client()
    client.force_login(cast.ada)
    return client


def enter_password(client: Client, address: str) -> Any:
    return client.post(f"/reauthenticate/?next={address}", {"password": PASSWORD})


@pytest.mark.parametrize(
    ("field", "value"), [("role", "agent"), ("email", "thief@example.com"), ("is_active", False), ("name", "X")]
)
def test_change_of_a_person_waits_for_the_password(cast: Cast, ada: Client, field: str, value: Any) -> None:
    page = user_page(cast.casey)
    before = getattr(cast.casey, field)
    response = save(ada, page, **{field: value})
    assert response["Location"].startswith("/reauthenticate/?next=")
    assert getattr(User.objects.get(pk=cast.casey.pk), field) == before
    assert enter_password(ada, page).status_code == 302  # carries the change out
    assert getattr(User.objects.get(pk=cast.casey.pk), field) == value
    assert save(ada, page, name="Again").status_code == 302
    assert User.objects.get(pk=cast.casey.pk).name == "Again"


def test_wrong_password_changes_nothing(cast: Cast, ada: Client) -> None:
    save(ada, user_page(cast.casey), role="admin")
    ada.post(f"/reauthenticate/?next={user_page(cast.casey)}", {"password": "wrong"})
    assert User.objects.get(pk=cast.casey.pk).is_customer


def test_pages_with_passwords_ask_first_and_keep_none_in_the_session(cast: Cast, ada: Client) -> None:
    new = SECRET | {"email": "new@example.com", "name": "New", "role": "admin"}
    page = user_page(cast.bao).replace("change", "password")
    for address, fields in (("/admin/accounts/user/add/", new), (page, SECRET | {"set-password": "1"})):
        for response in (ada.get(address), ada.post(address, fields)):
            assert response["Location"].startswith("/reauthenticate/?next=")
    assert not any(SECRET["password1"] in str(session.get_decoded()) for session in Session.objects.all())
    assert User.objects.get(pk=cast.bao.pk).check_password(PASSWORD)
    assert not User.objects.filter(email="new@example.com").exists()
    assert enter_password(ada, page)["Location"] == page
    assert ada.post(page, SECRET | {"set-password": "1"}).status_code == 302
    assert User.objects.get(pk=cast.bao.pk).check_password(SECRET["password1"])


def test_second_steps_are_deleted_after_the_password(cast: Cast, ada: Client) -> None:
    totp = Authenticator.objects.create(user=cast.bao, type="totp", data={"secret": "x"})
    page = f"/admin/mfa/authenticator/{totp.pk}/delete/"
    bulk = {"action": "delete_selected", "_selected_action": [totp.pk], "post": "yes"}
    for address, fields in ((page, {"post": "yes"}), ("/admin/mfa/authenticator/", bulk)):
        assert ada.post(address, fields)["Location"].startswith("/reauthenticate/")
    assert Authenticator.objects.exists()
    enter_password(ada, "/admin/mfa/authenticator/")
    assert not Authenticator.objects.exists()


def test_office_members_change_after_the_password(cast: Cast, ada: Client) -> None:
    page = f"/admin/accounts/office/{cast.billing.pk}/change/"
    fields = filled_in(ada, page) | {"agents": [str(cast.emil.pk)]}
    assert ada.post(page, fields)["Location"].startswith("/reauthenticate/")
    assert cast.emil not in cast.billing.agents.all()


def test_data_of_a_person_is_exported_after_the_password(cast: Cast, ada: Client) -> None:
    address = f"/admin/accounts/user/{cast.casey.pk}/export/"
    assert ada.post(address)["Location"].startswith("/reauthenticate/")


def test_reading_asks_for_nothing(cast: Cast, ada: Client) -> None:
    for page in ("/admin/", "/admin/accounts/user/", user_page(cast.casey), "/admin/mfa/authenticator/"):
        assert ada.get(page).status_code == 200


def spellings(key: UUID) -> list[str]:
    return [str(key), key.hex, str(key).upper(), key.hex.upper(), f"{{{key}}}", f"urn:uuid:{key}", f"%7B{key}%7D"]


@pytest.mark.parametrize("number", range(7))
def test_own_password_is_not_set_by_another_spelling_of_the_id(cast: Cast, number: int) -> None:
    client = signed_in(cast.ada)
    address = f"/admin/accounts/user/{spellings(cast.ada.pk)[number]}/password/"
    assert client.get(address)["Location"] == "/profile/password/"
    client.post(address, SECRET | {"set-password": "1"})
    assert User.objects.get(pk=cast.ada.pk).check_password(PASSWORD)
    other = f"/admin/accounts/user/{spellings(cast.bao.pk)[number]}/password/"
    assert client.get(other).status_code == 200


@pytest.mark.parametrize("key", ["x", "0" * 32, "1"])
def test_unknown_id_is_not_found(cast: Cast, key: str) -> None:
    assert signed_in(cast.ada).get(f"/admin/accounts/user/{key}/password/").status_code == 404
