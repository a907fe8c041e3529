"""Staff open a ticket for a customer, whose list shows it at once."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live


def test_agent_finds_a_customer_and_opens_a_ticket_for_them(small_desk: Desk) -> None:
    listing = small_desk.enter("casey").page("/tickets/")
    is_live(listing)
    page = small_desk.enter("bao").page("/tickets/new/")
    field = page.locator("[name=customer]")
    field.fill("riv")
    option = page.locator("#people option")
    expect(option).to_have_attribute("value", "Casey Rivers <casey@example.com>")
    field.fill(str(option.get_attribute("value")))
    page.locator("[name=subject]").fill("Called about May")
    page.locator("[name=content]").fill("They were charged twice.")
    page.locator("[name=office]").select_option(label="Billing")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".is-opening .reply-head")).to_contain_text("opened by Bao Nguyen")
    expect(listing.locator("#tickets, main").get_by_text("Called about May").first).to_be_visible()
