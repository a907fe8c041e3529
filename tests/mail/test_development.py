"""/dev/mail/ shows what a development site sent, and an answer goes the whole way in."""

import pytest
from django.test import Client

from mail.models import Mailbox, ReceivedMessage
from tests.support.jobs import run_all_jobs, run_due_jobs
from tickets import services
from tickets.models import Ticket


@pytest.fixture
def site(settings, tmp_path, cast):
    settings.DEBUG = True
    settings.EMAIL_BACKEND = "jobs.mail_backends.FileBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.MAIL_REPLY_ADDRESS = "reply@localhost"
    return Client()


def names(tmp_path):
    return sorted(path.stem for path in (tmp_path / "mail").glob("*.eml"))


def test_answer_to_a_mail_becomes_a_reply(site, cast, tmp_path):
    services.add_reply(cast.ticket, by=cast.bao, message="Did it happen *before*?")
    run_all_jobs()
    [name] = names(tmp_path)
    assert f"/dev/mail/{name}/" in site.get("/dev/mail/").content.decode()
    page = site.get(f"/dev/mail/{name}/")
    assert "Did it happen" in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    html = site.get(f"/dev/mail/{name}/html/")
    assert "sandbox" in html["Content-Security-Policy"]
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert site.post(f"/dev/mail/{name}/", {"text": "Yes, in May."}).status_code == 302
    run_due_jobs()
    reply = cast.ticket.replies.last()
    assert (reply.author, reply.message) == (cast.casey, "Yes, in May.")


def test_new_message_opens_a_ticket(site, cast):
    values = {"sender": "zoe@example.org", "subject": "Pen", "text": "My pen is broken."}
    assert site.post("/dev/mail/", values).status_code == 302
    run_due_jobs()
    ticket = Ticket.objects.get(subject="Pen")
    assert (ticket.creator.email, ticket.office) == ("zoe@example.org", cast.billing)
    assert ReceivedMessage.objects.get().identity == "verified"


@pytest.mark.parametrize("method", ["get", "post"])
def test_there_is_no_such_page_in_production(site, settings, method):
    settings.DEBUG = False
    for address in ("/dev/mail/", "/dev/mail/x/", "/dev/mail/x/html/"):
        assert getattr(site, method)(address).status_code == 404
    assert not Mailbox.objects.exists()


@pytest.mark.parametrize("name", ["..", "nothing", "%2e%2e%2f"])
def test_other_files_are_not_served(site, name):
    assert site.get(f"/dev/mail/{name}/").status_code == 404
