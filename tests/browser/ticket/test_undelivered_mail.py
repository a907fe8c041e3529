"""A mail that was not delivered, on the open pages of staff."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live

# Queued in the page's request; no worker runs here.
BOUNCE = """
from mail.models import OutgoingMail
from mail.outbound import deliveries, threads
mail = OutgoingMail.objects.get(event="reply")
mail.message_id = threads.message_id(mail.ticket, mail.reply)
mail.save()
deliveries.record_bounce([mail.message_id], reason="552 5.2.2 mailbox full")
"""


def test_mail_that_came_back_shows_at_the_reply_for_staff(small_desk: Desk) -> None:
    agent, customer = small_desk.enter("bao"), small_desk.enter("casey")
    staff, own = agent.page(small_desk.ticket), customer.page(small_desk.ticket)
    for page in (staff, own):
        is_live(page)
    staff.locator("ticket-composer textarea").fill("Paid back")
    staff.locator("ticket-composer textarea").press("Control+Enter")
    expect(own.locator("#replies > .reply")).to_have_count(1)
    reply = staff.locator("#replies > .reply")
    expect(reply).to_have_count(1)
    expect(reply.locator(".undelivered")).to_be_hidden()
    small_desk.manage("shell", "--verbosity=0", "-c", BOUNCE)
    expect(reply.locator(".undelivered bdi")).to_have_text("Casey Rivers")
    expect(reply.locator(".undelivered .reason")).to_have_text("552 5.2.2 mailbox full")
    staff.reload()
    expect(reply.locator(".undelivered li")).to_be_visible()
    assert own.locator(".undelivered").count() == 0
    assert agent.problems == customer.problems == []
