"""Changes of a ticket stand as quiet lines between its messages, and its activity is a tab."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.actions import choose, send


def thread(page: Page) -> Locator:
    """Return the messages and the lines between them, without the folded ones."""
    return page.locator("#replies > .reply .prose:visible, .changes summary:visible, .changes li:visible")


def test_changes_are_lines_between_messages_live_and_after_a_reload(small_desk: Desk) -> None:
    ada, casey = [small_desk.enter(name).page(small_desk.ticket) for name in ("ada", "casey")]
    is_live(ada)
    is_live(casey)
    send(ada, "We look into it")
    choose(ada, "status", "On Hold")
    for page in (ada, casey):
        expect(thread(page).nth(1)).to_contain_text("changed the status from Open to On Hold")
    send(casey, "Thank you")
    choose(ada, "office", "Fraud Desk")  # internal, but the customer sees that it left theirs
    expect(ada.locator(".changes li").last).to_contain_text("moved the ticket to Fraud Desk")
    expect(casey.locator(".changes li").last).to_contain_text("moved the ticket")
    assert "Fraud" not in casey.content()
    for page in (ada, casey):
        page.reload()
        expect(page.locator("#replies > :is(.reply, .changes)")).to_have_count(4)
        expect(page.locator("#replies > :is(.reply, .changes)").nth(1)).to_contain_text("On Hold")
        expect(page.locator("#replies > :is(.reply, .changes)").last).to_contain_text("moved the ticket")


def test_several_changes_fold(small_desk: Desk) -> None:
    page, other = [small_desk.enter(name).page(small_desk.ticket) for name in ("bao", "dana")]
    is_live(other)
    for label in ("On Hold", "Open", "On Hold"):
        choose(page, "status", label)
        expect(other.locator(".changes li").last).to_contain_text(f"to {label}")
    # Nothing folds while one reads it.
    expect(thread(other)).to_have_count(4)
    expect(thread(other).first).to_have_text("3 changes")
    other.reload()
    expect(thread(other)).to_have_text(["3 changes"])
    other.locator(".changes summary").press("Enter")
    expect(thread(other)).to_have_count(4)


def test_activity_is_a_tab_and_sending_leads_back_to_the_messages(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    choose(page, "status", "On Hold")
    expect(page.locator("#activity")).to_be_hidden()
    page.get_by_role("link", name="Activity").press("Enter")
    expect(page.locator("#timeline > li")).to_have_count(2)
    expect(page.locator("#timeline > li").last).to_contain_text("changed the status")
    expect(page.locator("#messages")).to_be_hidden()
    page.locator("ticket-composer textarea").fill("An answer")
    page.locator("ticket-composer textarea").press("Control+Enter")
    expect(page.locator("#replies > .reply").last).to_be_visible()
    expect(page.locator("#activity")).to_be_hidden()
    expect(page.get_by_role("link", name="Messages")).to_have_attribute("aria-current", "true")
    expect(page.locator("#timeline > li")).to_have_count(2)


def test_tabs_are_pages_without_scripts(small_desk: Desk) -> None:
    page = small_desk.enter("casey", java_script_enabled=False).page(small_desk.ticket)
    expect(page.locator("#messages")).to_be_visible()
    page.get_by_role("link", name="Activity").click()
    expect(page.locator("#timeline")).to_contain_text("opened the ticket")
    expect(page.locator("#messages")).to_be_hidden()
    page.get_by_role("link", name="Messages").click()
    expect(page.locator("#messages")).to_be_visible()
