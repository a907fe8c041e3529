"""Sign-up, sign-in, sign-out and password reset by email."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.payloads import initials
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

NINA = {
    "name": "Nina Weiß",
    "email": "Nina@Example.com",
    "password1": "a-long-phrase-7",
    "password2": "a-long-phrase-7",
}


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post("/login/", {"login": email, "password": password}).status_code


def test_customer_signs_up_confirms_the_address_and_sees_tickets(client: Client) -> None:
    assert client.post("/register/", NINA)["Location"] == "/email/sent/"
    nina = User.objects.get()
    assert (nina.name, nina.email, nina.role) == ("Nina Weiß", "nina@example.com", "customer")
    assert client.get("/tickets/").status_code == 302
    link = re.search(r"/email/confirm/\S+", mail.outbox[-1].body)
    assert client.post(link[0], {"password": NINA["password1"]}).status_code == 302
    assert client.get("/tickets/").status_code == 200
    assert sign_in(Client(), "nina@example.com", NINA["password1"]) == 302


def test_sign_up_does_not_reveal_registered_addresses(cast: Cast, client: Client) -> None:
    taken = client.post("/register/", NINA | {"email": "casey@example.com"})
    free = Client().post("/register/", NINA)
    assert (taken.status_code, taken["Location"]) == (free.status_code, free["Location"])
    assert User.objects.filter(email="casey@example.com").get() == cast.casey
    assert [letter.to for letter in mail.outbox] == [["casey@example.com"], ["nina@example.com"]]


def test_sign_up_creates_customers_only(client: Client) -> None:
    client.post("/register/", NINA | {"role": "admin", "is_staff": "on"})
    assert User.objects.get().role == "customer"


@pytest.mark.parametrize("field", ["name", "email", "password1"])
def test_sign_up_requires_all_fields(client: Client, field: str) -> None:
    response = client.post("/register/", NINA | {field: ""})
    assert response.status_code == 200
    assert response.context["form"].errors[field]
    assert not User.objects.exists()


def test_sign_in_ignores_address_case_and_checks_password(cast: Cast, client: Client) -> None:
    assert sign_in(client, "BAO@example.com", "wrong") == 200
    assert sign_in(client, "BAO@example.com") == 302


def test_inactive_user_cannot_sign_in(cast: Cast, client: Client) -> None:
    sign_in(client, "hiro@example.com")
    assert client.get("/tickets/").status_code == 302


def test_sign_out_requires_post(cast: Cast, client: Client) -> None:
    client.force_login(cast.bao)
    assert client.get("/logout/").status_code == 200
    assert client.get("/tickets/").status_code == 200
    assert client.post("/logout/").status_code == 302
    assert client.get("/tickets/").status_code == 302


def test_forgotten_password_is_reset_by_email(cast: Cast, client: Client) -> None:
    client.post("/password/reset/", {"email": "casey@example.com"})
    link = re.search(r"http://testserver(\S+)", mail.outbox[0].body)
    assert link is not None
    form = client.get(link[1], follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "another-phrase-8", "password2": "another-phrase-8"})
    client.logout()
    assert sign_in(client, "casey@example.com") == 200
    assert sign_in(client, "casey@example.com", "another-phrase-8") == 302


def test_password_reset_does_not_reveal_registered_addresses(cast: Cast, client: Client) -> None:
    answers = [client.post("/password/reset/", {"email": f"{name}@example.com"}) for name in ("casey", "unknown")]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]


def test_avatars_are_served_to_signed_in_users(cast: Cast, client: Client) -> None:
    address = f"/avatars/{cast.emil.pk}.svg"
    assert client.get(address).status_code == 302
    client.force_login(cast.casey)
    response = client.get(address)
    assert response["Content-Type"] == "image/svg+xml"
    assert ">ES<" in response.text


def test_avatar_escapes_the_name(cast: Cast, client: Client) -> None:
    cast.emil.name = "<script>alert(1)</script>"
    cast.emil.save()
    client.force_login(cast.casey)
    assert "<script" not in client.get(f"/avatars/{cast.emil.pk}.svg").text


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Emil Sørensen", "ES"), ("Cher", "C"), ("Hiro van der Tanaka", "HT"), ("田中", "田"), ("", "")],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters
