"""An erased person on pages that are open."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live


def test_open_pages_show_the_new_name_and_keep_what_is_typed(small_desk: Desk) -> None:
    agent = small_desk.enter("bao")
    ticket, tickets, start = (agent.page(path) for path in (small_desk.ticket, "/tickets/", "/"))
    own = small_desk.enter("casey").page("/")
    for page in (ticket, tickets, start, own):
        is_live(page)
        expect(page.locator("body")).to_contain_text("Casey Rivers")
    ticket.locator("ticket-composer textarea").fill("A draft of Bao")
    small_desk.manage("erase_person", "--no-input", "casey@example.com")
    for page in (ticket, tickets, start):
        expect(page.locator("main")).to_contain_text("Erased person")
        expect(page.locator("main")).not_to_contain_text("Casey Rivers")
    expect(ticket.locator("ticket-composer textarea")).to_have_value("A draft of Bao")
    expect(own.locator("state-chip")).to_have_attribute("data-connected", "false")
    assert agent.problems == []
