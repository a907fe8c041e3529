"""Links in account mails begin with the configured site, never with what a client wrote into its Host header."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from tests.accounts.sign_in.test_sign_in import NINA
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
FORGED = "testserver:1337"


def links() -> set[str]:
    return set(re.findall(r"(https?://[^/\s]+)/", "".join(letter.body for letter in mail.outbox)))


def cause_mails(host: str) -> None:
    """Cause each mail that a stranger can cause."""
    headers = {"host": host}
    Client().post("/password/reset/", {"email": "casey@example.com"}, headers=headers)
    Client().post("/password/reset/", {"email": "unknown@example.com"}, headers=headers)
    Client().post("/register/", NINA, headers=headers)
    Client().post("/register/", NINA | {"email": "casey@example.com"}, headers=headers)
    assert len(mail.outbox) == 4
    assert not any(host in letter.subject for letter in mail.outbox)


def test_port_of_the_host_header_is_not_in_a_link(cast: Cast) -> None:
    cause_mails(FORGED)
    assert links() == {"http://testserver"}


@pytest.mark.parametrize("url", ["https://desk.example.com", "https://desk.example.com:8443"])
def test_links_begin_with_the_configured_site(cast: Cast, settings: Settings, url: str) -> None:
    settings.SITE_URL = url
    cause_mails(FORGED)
    assert links() == {url}


def test_development_server_keeps_its_port(cast: Cast, settings: Settings) -> None:
    settings.DEBUG = True
    Client().post("/password/reset/", {"email": "casey@example.com"}, headers={"host": "localhost:8001"})
    assert links() == {"http://localhost:8001"}
