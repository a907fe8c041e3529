"""The round trip of a ticket by mail and page, on SQLite with a mail server."""

import pytest

from tests.jobs.smtp import smtp_server
from tests.mail import round_trip


@pytest.fixture
def smtp(settings):
    """Have mails go to an SMTP server; return what it received."""
    settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"
    with smtp_server() as (port, receiver):
        settings.EMAIL_BACKEND = "jobs.mail_backends.SMTPBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield receiver


async def test_customer_by_mail_and_agent_on_the_page_answer_each_other(live_cast, smtp):
    await round_trip.play(live_cast, smtp)
