"""Fixtures of outgoing mail: a site with an address, which receives answers."""

import pytest


@pytest.fixture(autouse=True)
def _site(settings):
    settings.SITE_URL = "https://desk.example.com"
    settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"
