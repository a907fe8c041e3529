"""The profile: name, language, time zone, email addresses and privacy."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.support.cast import PASSWORD, Cast
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
PAGES = ["", "email/", "password/", "two-step/", "sign-ins/", "tokens/"]


@pytest.fixture
def casey(cast: Cast) -> Client:
    client = Client()
    client.post("/login/", {"login": "casey@example.com", "password": PASSWORD})
    client.post("/reauthenticate/", {"password": PASSWORD})
    return client


def save(client: Client, **fields: Any) -> Any:
    return client.post("/profile/", {"name": "Casey Rivers", "language": "", "time_zone": "", **fields})


@pytest.mark.parametrize("page", PAGES)
def test_profile_pages_require_sign_in(casey: Client, page: str) -> None:
    assert casey.get(f"/profile/{page}").status_code == 200
    assert Client().get(f"/profile/{page}")["Location"].startswith("/login/")


def test_user_changes_name_and_privacy_settings(cast: Cast, casey: Client) -> None:
    assert save(casey, name="Casey R.", hides_online="on").status_code == 302
    person = User.objects.get(pk=cast.casey.pk)
    assert (person.name, person.hides_online, person.hides_read_marks) == ("Casey R.", True, False)


def test_user_cannot_change_their_own_role(cast: Cast, casey: Client) -> None:
    save(casey, role="admin", email="ada@example.com", is_active="")
    person = User.objects.get(pk=cast.casey.pk)
    assert (person.role, person.email, person.is_active) == ("customer", "casey@example.com", True)


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("language", "tlh"), ("time_zone", "Mars/Olympus"), ("time_zone", "../../etc")]
)
def test_profile_errors_are_shown_at_their_fields(cast: Cast, casey: Client, field: str, value: str) -> None:
    response = save(casey, **{field: value})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}
    assert "Account menu of <bdi>Casey Rivers</bdi>" in response.text


def test_pages_use_the_users_language_over_the_browsers(casey: Client) -> None:
    save(casey, language="de")
    response = casey.get("/profile/", headers={"accept-language": "en"})
    assert '<html lang="de"' in response.text
    assert response["Content-Language"] == "de"
    save(casey, language="")
    assert '<html lang="en"' in casey.get("/profile/", headers={"accept-language": "en"}).text
    assert '<html lang="de"' in Client().get("/login/", headers={"accept-language": "de"}).text


def test_dates_use_the_users_time_zone(cast: Cast, casey: Client) -> None:
    Ticket.objects.update(created_at=datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    address = cast.ticket.get_absolute_url()
    assert "5 Jan 2026, 23:30" in casey.get(address).text
    save(casey, time_zone="Asia/Tokyo")
    page = casey.get(address).text
    assert "6 Jan 2026, 08:30" in page
    assert '"time_zone": "Asia/Tokyo"' in page
    assert "5 Jan 2026, 23:30" in staff_page(cast, address)


def staff_page(cast: Cast, address: str) -> str:
    client = Client()
    client.force_login(cast.bao)
    return client.get(address).text


def test_unknown_time_zone_breaks_no_page(cast: Cast, casey: Client) -> None:
    User.objects.filter(pk=cast.casey.pk).update(time_zone="Atlantis/Capital")
    assert casey.get(cast.ticket.get_absolute_url()).status_code == 200


def test_new_email_address_counts_once_confirmed(cast: Cast, casey: Client) -> None:
    casey.post("/profile/email/", {"action_add": "", "email": "casey@example.org"})
    assert "casey@example.org" in [address for letter in mail.outbox for address in letter.to]
    cast.casey.refresh_from_db()
    assert cast.casey.email == "casey@example.com"


def test_email_addresses_offer_their_actions(cast: Cast, casey: Client) -> None:
    for email, verified in (("second@example.com", True), ("third@example.com", False)):
        EmailAddress.objects.create(user=cast.casey, email=email, verified=verified)
    forms = casey.get("/profile/email/").text.split("sheet-row")[1:4]
    offered = [re.findall(r'name="action_(\w+)"', form.split("</form>")[0]) for form in forms]
    assert offered == [[], ["primary", "remove"], ["send", "remove"]]
    casey.post("/profile/email/", {"action_primary": "", "email": "second@example.com"})
    assert User.objects.get(pk=cast.casey.pk).email == "second@example.com"
    for email, then in (("casey@example.com", "/"), ("third@example.com", "/email/sent/")):
        assert Client().post("/login/", {"login": email, "password": PASSWORD})["Location"] == then


def test_new_password_is_announced_by_email(cast: Cast, casey: Client) -> None:
    words = {"oldpassword": PASSWORD, "password1": "another-phrase-9", "password2": "another-phrase-9"}
    assert casey.post("/profile/password/", words).status_code == 302
    assert mail.outbox[-1].to == ["casey@example.com"]
