"""Passwords that are guessed first are refused wherever one is set, from a list that needs no network."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.accounts.test_account_mails import NINA
from tests.accounts.test_admin import user_page
from tests.support.cast import PASSWORD, Cast
from tests.test_admin import signed_in

pytestmark = pytest.mark.django_db
# Common ones of several languages and keyboards; parts of the own name and address.
GUESSED = ["password1", "Passw0rd", "qwertyuiop", "1q2w3e4r5t", "iloveyou", "football", "12345678901", "short1!"]
OWN = ["caseyrivers", "Casey.Rivers1", "casey@example.com"]


def sign_up(cast: Cast, password: str) -> Any:
    return Client().post("/register/", NINA | {"password1": password, "password2": password})


def change(cast: Cast, password: str) -> Any:
    client = Client()
    client.post("/login/", {"login": "casey@example.com", "password": PASSWORD})
    cache.clear()  # changes have a rate
    fields = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    return client.post("/profile/password/", fields)


def set_by_admin(cast: Cast, password: str) -> Any:
    admin = signed_in(cast.ada)
    page = user_page(cast.casey).replace("change/", "password/")
    return admin.post(page, {"usable_password": "true", "password1": password, "password2": password})


def unchanged(cast: Cast) -> bool:
    known = User.objects.filter(email="nina@example.com").exists()
    return not known and User.objects.get(pk=cast.casey.pk).check_password(PASSWORD)


@pytest.mark.parametrize("place", [sign_up, change, set_by_admin], ids=lambda place: place.__name__)
def test_guessed_password_is_refused_with_a_reason(cast: Cast, place: Callable[[Cast, str], Any]) -> None:
    for password in [*GUESSED, *([] if place is sign_up else OWN)]:
        answer = place(cast, password)
        assert answer.status_code == 200, password
        assert " password is " in answer.text, password
        assert unchanged(cast), password
    assert place(cast, "three blue lamps").status_code == 302
    assert not unchanged(cast)
