"""Browsers, crawlers and password managers find what they ask for."""

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.support.cast import Cast


def test_icon_exists() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/img/mark.svg")
    assert finders.find("img/mark.svg")


def test_crawlers_are_kept_away() -> None:
    answer = Client().get("/robots.txt")
    assert (answer["Content-Type"], answer.text) == ("text/plain", "User-agent: *\nDisallow: /\n")


@pytest.mark.django_db
def test_password_managers_reach_the_page_that_changes_the_password(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.casey)
    answer = client.get("/.well-known/change-password", follow=True)
    assert answer.redirect_chain[0] == ("/profile/password/", 302)
    assert answer.status_code == 200
