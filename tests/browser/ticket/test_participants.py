"""A participant and a member follow a ticket and lose it at once; notes about the customer appear on open cards."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect


def test_participant_joins_answers_and_is_removed_live(small_desk: Desk) -> None:
    greta, bao = small_desk.enter("greta"), small_desk.enter("bao")
    page, agent = greta.page("/tickets/"), bao.page(small_desk.ticket)
    is_live(page)
    is_live(agent)
    agent.locator("#add-participant").fill("greta@example.com")
    agent.locator(".add-participant button").click()
    expect(agent.locator(".people[aria-label=Participants] li")).to_contain_text("Greta Lindqvist")
    expect(agent.locator("#add-participant")).to_have_value("")
    expect(agent.locator("#timeline li").last).to_contain_text("Bao Nguyen added Greta Lindqvist")
    expect(page.locator("#ticket-rows")).to_contain_text("Charged twice")
    page.goto(small_desk.ticket)
    is_live(page)
    expect(page.locator(".add-participant")).to_have_count(0)
    page.locator(".composer textarea").fill("Me too")
    page.locator(".composer button[type=submit]").first.click()
    expect(agent.locator("#replies")).to_contain_text("Me too")
    agent.get_by_role("button", name="Remove Greta Lindqvist").click()
    expect(agent.locator(".people[aria-label=Participants]")).to_be_hidden()
    expect(page.locator("#access-ended")).to_be_visible()
    follow_notes(small_desk, agent)
    follow_an_organization(small_desk, page)


def follow_notes(desk: Desk, agent: Page) -> None:
    """A note of a colleague about the customer appears and vanishes on an open card."""
    agent.locator(".customer-card a").first.click()
    expect(agent.locator("h1")).to_have_text("Casey Rivers")
    is_live(agent)
    colleague = desk.enter("dana").page(agent.url)
    colleague.locator("[name=text]").fill("Prefers to be called")
    colleague.get_by_role("button", name="Add note").click()
    expect(agent.locator(".customer-note")).to_contain_text("Prefers to be called")
    colleague.get_by_role("button", name="Delete").click()
    expect(agent.locator(".customer-note")).to_have_count(0)


def follow_an_organization(desk: Desk, page: Page) -> None:
    """A member sees the others' tickets on an open list, until the admin turns that off."""
    admin = desk.enter("ada").page("/settings/organizations/new/")
    admin.locator("[name=name]").fill("Acme")
    admin.locator("[name=domains]").fill("example.com")
    admin.locator("[name=members_see_tickets]").check()
    admin.get_by_role("button", name="Save").click()
    expect(admin.locator(".sheet-row")).to_have_count(3)
    assert inspect(admin) == []
    page.goto("/tickets/")
    is_live(page)
    expect(page.locator("#ticket-rows")).to_contain_text("Charged twice")
    admin.locator("[name=members_see_tickets]").uncheck()
    admin.get_by_role("button", name="Save").click()
    expect(page.locator("#ticket-rows")).not_to_contain_text("Charged twice")
