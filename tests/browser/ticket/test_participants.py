"""A participant follows a ticket live, answers, and loses it at once; the card leads to the customer."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live


def test_participant_joins_answers_and_is_removed_live(small_desk: Desk) -> None:
    greta, bao = small_desk.enter("greta"), small_desk.enter("bao")
    page, agent = greta.page("/tickets/"), bao.page(small_desk.ticket)
    is_live(page)
    is_live(agent)
    agent.locator("#add-participant").fill("greta@example.com")
    agent.locator(".add-participant button").click()
    expect(agent.locator(".people li")).to_contain_text("Greta Lindqvist")
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
    expect(agent.locator(".people")).to_be_hidden()
    expect(page.locator("#access-ended")).to_be_visible()
    agent.locator(".customer-card a").first.click()
    expect(agent.locator("h1")).to_have_text("Casey Rivers")
