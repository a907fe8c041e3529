"""Two agents, one of them on two devices, and a customer on one ticket: a server dies and stands still under them."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk
from tests.browser.installations.test_presence import colleagues, type_into, writing
from tests.browser.support.actions import message

# A busy machine may take longer; tests/js/live-updates.test.js has the seconds, by a clock of its own.
SOON = 60_000


def composer(page: Page) -> Locator:
    return page.locator("ticket-composer textarea")


def are_live(*pages: Page, live: bool = True) -> None:
    for page in pages:
        chip = page.locator("state-chip")
        expect(chip).to_have_attribute("data-connected", str(live).lower(), timeout=SOON)


def have_replies(texts: list[str], *pages: Page) -> None:
    for page in pages:
        expect(page.locator("#replies > .reply .prose")).to_have_text(texts, timeout=SOON)


def test_all_goes_on_after_a_server_was_killed_and_stood_still(desk: Desk) -> None:
    server = desk.servers[0]
    laptop, phone, dana, casey = (
        desk.enter("bao", server=0), desk.enter("bao"), desk.enter("dana"), desk.enter("casey", server=0),
    )  # fmt: skip
    work, other, asked = (person.page(desk.ticket) for person in (laptop, dana, casey))
    lists = phone.page("/tickets/")
    row = lists.locator("#ticket-rows tr").first
    are_live(work, other, asked, lists)
    type_into(work, "We look")
    expect(colleagues(other)).to_have_text(["Bao Nguyen is replying"])
    expect(row.locator(".row-draft")).to_be_visible()

    server.kill()
    are_live(work, asked, live=False)
    composer(asked).fill("Are you there?")
    composer(asked).press("Control+Enter")
    expect(asked.locator(".composer")).to_contain_text("Not sent yet")
    type_into(work, " into")
    server.start()
    are_live(work, other, asked, lists)
    have_replies(["Are you there?"], asked, work, other)
    expect(message(asked, "Are you there?").locator(".receipt")).to_have_text("Seen by support", timeout=SOON)
    type_into(work, " it")
    expect(colleagues(other)).to_have_text(["Bao Nguyen is replying"], timeout=SOON)
    expect(writing(asked)).to_have_text("Bao Nguyen is writing…")
    there = phone.page(desk.ticket)
    expect(composer(there)).to_have_value("We look into it", timeout=SOON)
    there.close()
    composer(work).press("Control+Enter")
    have_replies(["Are you there?", "We look into it"], work, asked, other)
    expect(row.locator(".row-draft")).to_be_hidden()

    composer(work).blur()
    with server.hanging():
        are_live(work, asked, live=False)
        composer(asked).fill("Thanks")
        composer(asked).press("Control+Enter")
        expect(asked.locator("[data-sending]")).to_have_text("Sending…")
    are_live(work, other, asked, lists)
    have_replies(["Are you there?", "We look into it", "Thanks"], asked, work, other)
    expect(message(work, "We look into it").locator(".receipt summary")).to_have_text("Seen by Casey Rivers")
    type_into(asked, "And")
    expect(writing(work)).to_have_text("Casey Rivers is writing…")
    assert laptop.problems == phone.problems == dana.problems == casey.problems == []
