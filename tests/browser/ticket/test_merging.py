"""Merging tickets: the preview, and both tickets in the browsers of others."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect

OPEN_ANOTHER = """
from accounts.models import Office, User
from tickets import services
casey = User.objects.get(email='casey@example.com')
office = Office.objects.get(name='Billing')
ticket = services.open_ticket(by=casey, subject='Refund', content='Still no money', office=office)
services.add_reply(ticket, by=User.objects.get(email='bao@example.com'), message='Called the bank', internal=True)
print(ticket.get_absolute_url(), ticket.reference)
"""


def test_merge_and_its_undo_are_live_on_both_tickets(small_desk: Desk) -> None:
    address, reference = small_desk.manage("shell", "-v", "0", "-c", OPEN_ANOTHER).split()
    agent = small_desk.enter("bao").page(address)
    dana = small_desk.enter("dana")
    merged, target = dana.page(address), dana.page(small_desk.ticket)
    customer = small_desk.enter("casey").page(small_desk.ticket)
    for page in (merged, target, customer):
        is_live(page)
    agent.get_by_role("link", name="Merge into another ticket…").click()
    agent.get_by_role("radio", name="Charged twice").check()
    assert inspect(agent) == []
    agent.get_by_role("button", name="Continue").click()
    expect(agent.get_by_role("heading", name="Who will see what")).to_be_visible()
    assert inspect(agent) == []
    agent.get_by_role("button", name="Merge", exact=True).click()

    expect(merged.locator(".merge-notice")).to_contain_text("Merged into BCD-FGHJ")
    expect(merged.locator("ticket-composer")).to_be_hidden()
    expect(target.locator(".merged-ticket summary")).to_contain_text(f"2 messages of {reference}")
    expect(customer.locator(".merged-ticket summary")).to_contain_text(f"1 message of {reference}")
    for page, number in ((agent, 2), (target, 2), (customer, 1)):
        page.locator(".merged-ticket summary").click()
        expect(page.locator(".merged-message")).to_have_count(number)
        expect(page.locator(".merged-message").first).to_contain_text("Still no money")
    assert inspect(target) == []
    assert inspect(customer) == []

    expect(customer.get_by_role("button", name="Undo merge")).to_have_count(0)
    target.get_by_role("button", name="Undo merge").click()
    for page in (agent, target, customer):
        expect(page.locator(".merged-ticket")).to_have_count(0)
    expect(merged.locator(".merge-notice")).to_be_hidden()
    expect(merged.locator("ticket-composer")).to_be_visible()


def test_selected_tickets_are_merged_and_a_text_in_the_composer_stays(small_desk: Desk) -> None:
    address, reference = small_desk.manage("shell", "-v", "0", "-c", OPEN_ANOTHER).split()
    writer = small_desk.enter("dana").page(address)
    is_live(writer)
    writer.locator("ticket-composer textarea").fill("Half a sentence")
    agent = small_desk.enter("bao").page("/tickets/")
    for box in agent.locator(".row-check").all():
        box.check()
    agent.get_by_role("button", name="Merge…").click()
    agent.get_by_role("radio", name="Charged twice").check()
    agent.get_by_role("button", name="Continue").click()
    agent.get_by_role("button", name="Merge", exact=True).click()
    expect(agent.locator(".merged-ticket")).to_contain_text(reference)
    expect(writer.locator(".merge-notice")).to_be_visible()
    expect(writer.locator("ticket-composer textarea")).to_have_value("Half a sentence")
    writer.locator(".composer button[type=submit]:visible").last.click()
    expect(writer.locator(".composer")).to_contain_text("Write your message there.")
    expect(writer.locator("ticket-composer textarea")).to_have_value("Half a sentence")


def test_message_is_split_and_its_line_appears_in_other_browsers(small_desk: Desk) -> None:
    colleague = small_desk.enter("dana").page(small_desk.ticket)
    customer = small_desk.enter("casey").page(small_desk.ticket)
    for page in (colleague, customer):
        is_live(page)
    agent = small_desk.enter("bao").page(small_desk.ticket)
    agent.locator(".is-opening").get_by_role("link", name="Split into a new ticket").click()
    agent.get_by_role("textbox", name="Subject").fill("Second matter")
    assert inspect(agent) == []
    agent.get_by_role("button", name="Open the new ticket").click()
    expect(agent.get_by_role("heading", name="Second matter")).to_be_visible()
    for page in (colleague, customer):
        expect(page.locator(".is-opening .split-lines")).to_contain_text("Split into")
    customer.locator(".split-lines a").click()
    expect(customer.get_by_role("heading", name="Second matter")).to_be_visible()
