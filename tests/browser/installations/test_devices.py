"""One person on two devices: what they have read, and what they are writing, follows them."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, Person, is_live
from tests.browser.support.actions import choose, message, send


def composer(page: Page) -> Locator:
    return page.locator("ticket-composer textarea")


def badge(page: Page) -> Locator:
    return page.locator("[data-unread-count]")


def test_read_marks_and_drafts_follow_to_another_device(desk: Desk) -> None:
    laptop, phone = desk.enter("bao", server=0), desk.enter("bao", viewport={"width": 390, "height": 844})
    asked, work = desk.enter("casey").page(desk.ticket), laptop.page(desk.ticket)
    is_live(work)
    choose(work, "assigned_to", "Bao Nguyen")
    work.goto("/tickets/")
    lists, unread = phone.page("/tickets/"), phone.page("/tickets/?status=unread")
    for page in (work, lists, unread, asked):
        is_live(page)
    read_marks_follow(desk, asked, work, lists, unread)
    drafts_follow(desk, laptop, phone, work, lists)
    see_receipts(work, asked, desk.ticket)
    assert laptop.problems == phone.problems == []


def read_marks_follow(desk: Desk, asked: Page, work: Page, lists: Page, unread: Page) -> None:
    """What the laptop shows is read on the phone's list, and leaves its list of unread tickets."""
    number, rows = unread.locator(".view-count[data-count=unread]"), unread.locator("#ticket-rows tr")
    expect(number).to_have_text("0")
    expect(unread.get_by_text("No unread tickets.")).to_be_visible()
    send(asked, "Hello?")
    expect(number).to_have_text("1")
    expect(rows).to_have_count(1)
    for page in (work, lists):
        expect(page.locator("#ticket-rows tr").first).to_have_attribute("data-unread", "true")
        expect(badge(page)).to_have_attribute("data-unread-count", "1")

    work.goto(desk.ticket)
    expect(work.locator(".new-line + .reply")).to_contain_text("Hello?")
    expect(message(asked, "Hello?").locator(".receipt")).to_have_text("Seen by support")
    expect(lists.locator("#ticket-rows tr").first).to_have_attribute("data-unread", "false")
    expect(badge(lists)).to_be_hidden()
    expect(rows).to_have_count(0)
    expect(number).to_have_text("0")
    work.get_by_role("button", name="Mark as unread").click()
    expect(rows).to_have_attribute("data-unread", "true")
    expect(number).to_have_text("1")
    expect(lists.locator("#ticket-rows tr").first).to_have_attribute("data-unread", "true")
    work.goto(desk.ticket)
    expect(rows).to_have_count(0)
    expect(badge(lists)).to_be_hidden()
    assert lists.title().startswith("(") is False


def drafts_follow(desk: Desk, laptop: Person, phone: Person, work: Page, lists: Page) -> None:
    """A draft appears on the other device, asks before it replaces a text, survives a cut, and ends when sent."""
    row = lists.locator("#ticket-rows tr").first
    expect(row.locator(".row-draft")).to_be_hidden()
    composer(work).press_sequentially("Half an")
    expect(row.locator(".row-draft")).to_be_visible()
    there = phone.page(desk.ticket)
    is_live(there)
    expect(composer(there)).to_have_value("Half an")
    composer(there).fill("Half an answer")
    composer(there).blur()
    # The laptop's composer has the focus: it asks.
    notice = work.locator("draft-notice")
    expect(notice).to_contain_text("There is a newer draft from another device.")
    expect(composer(work)).to_have_value("Half an")
    notice.get_by_role("button", name="Use it").click()
    expect(composer(work)).to_have_value("Half an answer")
    notice.get_by_role("button", name="Undo").click()
    expect(composer(work)).to_have_value("Half an")
    expect(composer(there)).to_have_value("Half an")

    # Without a connection it stays here, and is saved on return.
    laptop.wire.cut()
    composer(work).fill("Half an answer, in the tunnel")
    expect(work.locator("state-chip")).to_have_attribute("data-connected", "false")
    laptop.wire.mend()
    expect(composer(there)).to_have_value("Half an answer, in the tunnel")

    composer(there).press("Control+Enter")
    expect(message(work, "in the tunnel")).to_be_visible()
    expect(composer(work)).to_have_value("")
    expect(row.locator(".row-draft")).to_be_hidden()


def see_receipts(work: Page, asked: Page, ticket: str) -> None:
    """See what became of replies: the first is on the customer's screen, the second on another of their pages."""
    receipt = message(work, "in the tunnel").locator(".receipt")
    expect(receipt.locator("summary")).to_have_text("Seen by Casey Rivers")
    receipt.locator("summary").press("Enter")
    expect(receipt.locator("li")).to_contain_text("Casey Rivers")

    asked.goto("/tickets/")
    is_live(asked)
    send(work, "And more")
    receipt = message(work, "And more").locator(".receipt")
    expect(receipt.locator("summary")).to_have_text("Delivered")
    asked.goto(ticket)
    expect(receipt.locator("summary")).to_have_text("Seen by Casey Rivers")
