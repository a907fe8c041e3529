"""Pages that were open while another tab signed in or out, and sessions that end by themselves."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
BAO = {"login": "bao@example.com", "password": PASSWORD}


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def opened(browser: Client, path: str) -> dict[str, str]:
    """Open a page in a tab, and return the hidden fields of its form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', browser.get(path).text))


def is_in(browser: Client) -> bool:
    return browser.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/login/?next=/tickets/", "/tickets/"),
        ("/login/", "/"),
        ("/login/?next=https://evil.example/", "/"),
        ("/register/?next=/profile/", "/profile/"),
        ("/password/reset/", "/"),
    ],
)
def test_second_open_page_leads_on_once_signed_in(cast: Cast, browser: Client, path: str, leads_to: str) -> None:
    first, second = opened(browser, "/login/"), opened(browser, path)
    assert browser.post("/login/", BAO | first).status_code == 302
    assert is_in(browser)
    response = browser.post(path, BAO | second)
    assert (response.status_code, response["Location"]) == (302, leads_to)
    assert is_in(browser)


def test_sign_in_page_from_before_a_sign_out_is_shown_again(cast: Cast, browser: Client) -> None:
    old = opened(browser, "/login/?next=/tickets/")
    browser.post("/login/", BAO | opened(browser, "/login/"))
    browser.post("/logout/", opened(browser, "/logout/"))
    response = browser.post("/login/?next=/tickets/", BAO | old, follow=True)
    assert response.redirect_chain == [("/login/?next=/tickets/", 302)]
    assert "This page had expired" in response.text
    assert not is_in(browser)


@pytest.mark.parametrize("path", ["/reauthenticate/?next=/profile/tokens/", "/email/confirm/x/"])
def test_page_that_a_signed_in_user_may_need_is_shown_again(cast: Cast, browser: Client, path: str) -> None:
    old = opened(browser, "/login/")
    browser.post("/login/", BAO | old)
    assert browser.post(path, old)["Location"] == path


def test_second_sign_out_leads_to_the_sign_in_page(cast: Cast, browser: Client) -> None:
    browser.post("/login/", BAO | opened(browser, "/login/"))
    first, second = opened(browser, "/logout/"), opened(browser, "/logout/")
    assert browser.post("/logout/", first).status_code == 302
    browser.get("/login/")
    assert browser.post("/logout/", second)["Location"] == "/login/"


def test_forms_behind_the_entrance_are_still_refused(cast: Cast, browser: Client) -> None:
    old = opened(browser, "/login/")
    browser.post("/login/", BAO | old)
    for path in ("/profile/", "/tickets/new/", "/admin/accounts/user/add/"):
        assert browser.post(path, old).status_code == 403


def test_browser_without_cookies_gets_the_reason(cast: Cast) -> None:
    response = Client(enforce_csrf_checks=True).post("/login/", BAO)
    assert response.status_code == 403
    assert "cookies are blocked" in response.text


def signed_in(name: str = "bao") -> Client:
    client = Client()
    client.post("/login/", {"login": f"{name}@example.com", "password": PASSWORD})
    return client


@pytest.mark.parametrize(
    "path", ["/", "/tickets/", "/profile/", "/login/", "/static/x.css", "/nonexistent", "/api/v1/me/"]
)
def test_late_answer_to_an_old_session_keeps_the_cookie_of_the_next(cast: Cast, path: str) -> None:
    client = signed_in()
    client.cookies["sessionid"] = "ended"
    assert "sessionid" not in client.get(path).cookies


def test_sign_out_deletes_the_cookie(cast: Cast) -> None:
    client = signed_in()
    assert client.post("/logout/").cookies["sessionid"].value == ""


def idle(client: Client, minutes: int) -> None:
    """Let time pass for the session."""
    session = client.session
    session.set_expiry(session.get_expiry_date() - timedelta(minutes=minutes))
    session.save()


def minutes_left(client: Client) -> float:
    return (client.session.get_expiry_date() - timezone.now()).total_seconds() / 60


def test_idle_session_of_staff_ends(cast: Cast, settings: Settings) -> None:
    settings.STAFF_IDLE_MINUTES = 30
    client = signed_in()
    assert is_in(client)
    assert 29 < minutes_left(client) <= 30
    idle(client, 20)
    assert is_in(client)  # what the user does renews it
    assert 29 < minutes_left(client) <= 30
    idle(client, 31)
    assert not is_in(client)


@pytest.mark.parametrize("headers", [{"sec-fetch-dest": "empty"}, {"sec-fetch-dest": "image"}])
def test_requests_of_an_open_page_do_not_renew_the_session(
    cast: Cast, settings: Settings, headers: dict[str, str]
) -> None:
    settings.STAFF_IDLE_MINUTES = 30
    client = signed_in()
    assert is_in(client)
    idle(client, 20)
    session: Any = client.session
    session["seen_at"] -= 301  # due to be saved with the time of the last activity
    session.save()
    client.get("/tickets/counts/", headers=headers)
    assert 9 < minutes_left(client) <= 10


@pytest.mark.parametrize(("name", "minutes"), [("casey", 30), ("bao", 0)])
def test_other_sessions_last_two_weeks(cast: Cast, settings: Settings, name: str, minutes: int) -> None:
    settings.STAFF_IDLE_MINUTES = minutes
    client = signed_in(name)
    assert is_in(client)
    assert minutes_left(client) > 13 * 24 * 60
