"""The round trip of a ticket by mail and page, on PostgreSQL and Redis with a mail server."""

from tests.jobs.smtp import smtp_server
from tests.mail import round_trip


async def test_customer_by_mail_and_agent_on_the_page_answer_each_other(live_cast, settings):
    with smtp_server() as (port, receiver):
        settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"
        settings.EMAIL_BACKEND = "jobs.mail_backends.SMTPBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        await round_trip.play(live_cast, receiver)
