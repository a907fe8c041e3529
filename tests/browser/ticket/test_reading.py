"""Reading a ticket: the newest message stays above the composer, and nothing covers what one needs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import ask_unseen, choose, make_internal, message, send

LAPTOP, PHONE, SMALL = ({"width": width, "height": height} for width, height in ((1366, 768), (390, 844), (320, 568)))
# How far the newest message reaches below the composer's upper edge.
COVERED = """() => document.querySelector("#replies").lastElementChild.getBoundingClientRect().bottom
  - document.querySelector(".composer").getBoundingClientRect().top"""

CHIP_IS_ABOVE = """() => document.querySelector("state-chip").getBoundingClientRect().bottom
  <= document.querySelector(".composer").getBoundingClientRect().top"""


CHIP_IS_BESIDE = """() => {
  const chip = document.querySelector("state-chip").getBoundingClientRect()
  const controls = [...document.querySelectorAll(".panel :is(a, button, input, select)")]
  return controls.map((control) => control.getBoundingClientRect()).every(({ left, right, top, bottom }) =>
    right <= chip.left || left >= chip.right || bottom <= chip.top || top >= chip.bottom)
}"""


def newest_is_in_view(page: Page, text: str) -> None:
    expect(page.locator("#replies > .reply").last).to_contain_text(text)
    assert page.evaluate(COVERED) <= 0


TALK = """
from accounts.models import User
from tickets.models import Ticket
from tickets import reading, services
ticket, dana = Ticket.objects.get(), User.objects.get(email="dana@example.com")
for number in range({count}):
    message = f"Line {{number}}: we looked into it, and will write again when we know more."
    last = services.add_reply(ticket, by=dana, message=message)
reading.mark_read(last.ticket, by=ticket.creator, up_to=last)
"""


def talk(desk: Desk, count: int) -> None:
    """Let Dana reply `count` times; Casey has read it."""
    desk.manage("shell", "-v", "0", "-c", TALK.format(count=count))


@pytest.mark.parametrize("size", [LAPTOP, SMALL], ids=lambda size: str(size["width"]))
def test_newest_message_is_never_behind_the_composer(small_desk: Desk, size: dict[str, int]) -> None:
    talk(small_desk, 8)
    bao, casey = [small_desk.enter(name, viewport=size).page(small_desk.ticket) for name in ("bao", "casey")]
    dana = small_desk.enter("dana", viewport=PHONE).page(small_desk.ticket)
    is_live(dana)
    expect(dana.locator("ticket-presence .colleague")).to_be_in_viewport()
    for page in (bao, casey):
        is_live(page)
        newest_is_in_view(page, "Line 7")
    send(bao, "Mine, and " + "quite long, " * 30)
    newest_is_in_view(bao, "Mine, and")
    newest_is_in_view(casey, "Mine, and")
    casey.locator("ticket-composer textarea").fill("I am\nstill\ntyping")
    newest_is_in_view(casey, "Mine, and")
    send(dana, "From Dana")
    newest_is_in_view(casey, "From Dana")
    newest_is_in_view(bao, "From Dana")
    send(bao, "For us", note=True)
    newest_is_in_view(bao, "For us")
    send(casey, "Thank you")
    newest_is_in_view(casey, "Thank you")


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=lambda size: str(size["width"]))
def test_reader_of_older_messages_keeps_their_place(small_desk: Desk, size: dict[str, int]) -> None:
    talk(small_desk, 12)
    page, dana = small_desk.enter("casey", viewport=size).page(small_desk.ticket), small_desk.enter("dana")
    is_live(page)
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    expect(page.locator("#new-reply")).to_be_hidden()
    send(dana.page(small_desk.ticket), "One more")
    button = page.locator("#new-reply")
    expect(button).to_be_visible()
    assert page.evaluate("scrollY") == 0
    box, composer = button.bounding_box(), page.locator(".composer").bounding_box()
    assert box is not None
    assert composer is not None
    assert box["y"] + box["height"] <= composer["y"]
    page.locator("ticket-composer textarea").evaluate("field => field.focus({preventScroll: true})")
    page.keyboard.type("While I read")
    assert page.evaluate("scrollY") == 0
    button.click()
    newest_is_in_view(page, "One more")
    expect(button).to_be_hidden()


KEYBOARD = """Object.defineProperty(globalThis, "visualViewport", {
  value: Object.assign(new EventTarget(), { scale: 1, offsetTop: 0, height: innerHeight }),
})"""
OPEN = "visualViewport.height -= {height}; visualViewport.dispatchEvent(new Event('resize'))"


def test_composer_and_newest_message_stay_above_the_keyboard(small_desk: Desk) -> None:
    talk(small_desk, 8)
    casey = small_desk.enter("casey", viewport=PHONE)
    casey.context.add_init_script(KEYBOARD)
    page = casey.page(small_desk.ticket)
    is_live(page)
    newest_is_in_view(page, "Line 7")
    page.evaluate(OPEN.format(height=300))
    bottom = "document.querySelector('.composer').getBoundingClientRect().bottom"
    page.wait_for_function(f"{bottom} <= {PHONE['height'] - 300}")
    newest_is_in_view(page, "Line 7")
    page.evaluate(OPEN.format(height=-300))
    page.wait_for_function(f"{bottom} > {PHONE['height'] - 100}")


def test_message_higher_than_the_window_is_shown_from_its_start(small_desk: Desk) -> None:
    page = small_desk.enter("casey", viewport=PHONE).page(small_desk.ticket)
    dana = small_desk.enter("dana").page(small_desk.ticket)
    is_live(page)
    dana.locator("ticket-composer textarea").fill("\n\n".join(f"Step {number}" for number in range(40)))
    dana.locator("ticket-composer textarea").press("Control+Enter")
    newest = page.locator("#replies > .reply").last
    expect(newest).to_contain_text("Step 39")
    expect(newest.locator("h3")).to_be_in_viewport()


def test_reply_link_opens_at_its_reply(small_desk: Desk) -> None:
    talk(small_desk, 12)
    page = small_desk.enter("casey", viewport=PHONE).page(small_desk.ticket)
    anchor = page.locator("#replies > .reply").first.get_attribute("id")
    page.goto("/tickets/")
    page.goto(f"{small_desk.ticket}#{anchor}")
    is_live(page)
    expect(page.locator("#replies > .reply").first).to_be_in_viewport()


@pytest.mark.parametrize("name", ["casey", "bao"])
def test_note_on_live_updates_covers_no_part_of_the_composer(small_desk: Desk, name: str) -> None:
    talk(small_desk, 6)
    person = small_desk.enter(name, viewport=SMALL)
    page = person.page(small_desk.ticket)
    is_live(page)
    person.wire.cut()
    chip = page.locator("state-chip")
    expect(chip).to_have_attribute("data-connected", "false")
    for width in (320, 390, 768, 1366):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(CHIP_IS_ABOVE)
    for place in range(0, 1200, 100):
        page.evaluate(f"scrollTo({{top: {place}, behavior: 'instant'}})")
        assert page.evaluate(CHIP_IS_BESIDE), place
    # Where the conversation ends, the composer does not stick to the window.
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    page.wait_for_function(CHIP_IS_ABOVE)
    newest_is_in_view(page, "Line 5")


def test_sending_is_announced_and_the_placeholder_follows_the_mode(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    text, status = page.locator("ticket-composer textarea"), page.locator("ticket-composer [data-announcement]")
    expect(text).to_have_attribute("placeholder", "Write a reply…")
    expect(status).to_have_text("")
    send(page, "Hello")
    expect(status).to_have_text("Reply sent")
    send(page, "For us", note=True)
    expect(text).to_have_attribute("placeholder", "Write an internal note…")
    expect(status).to_have_text("Note added")


def test_hidden_reply_can_be_undone_by_keyboard(small_desk: Desk) -> None:
    page, asked = [small_desk.enter(name).page(small_desk.ticket) for name in ("bao", "casey")]
    is_live(page)
    is_live(asked)
    send(page, "Wrong window")
    expect(message(asked, "Wrong window")).to_be_visible()
    switch = message(page, "Wrong window").locator("summary[title='Make internal…']")
    switch.press("Enter")
    expect(message(asked, "Wrong window")).to_be_visible()
    expect(message(page, "Wrong window")).to_contain_text("Casey Rivers will no longer see this reply and its files")
    message(page, "Wrong window").get_by_role("button", name="Make internal").press("Enter")
    expect(message(asked, "Wrong window")).to_have_count(0)
    undo = message(page, "Wrong window").get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    assert inspect(page) == []
    undo.press("Enter")
    expect(message(asked, "Wrong window")).to_be_visible()
    expect(undo).to_be_hidden()
    expect(message(page, "Wrong window")).to_have_attribute("data-internal", "false")


def test_undo_is_offered_only_to_who_hid_the_reply(small_desk: Desk) -> None:
    page, other = [small_desk.enter(name).page(small_desk.ticket) for name in ("bao", "dana")]
    is_live(other)
    send(page, "Wrong window")
    make_internal(page, "Wrong window")
    expect(message(other, "Wrong window")).to_have_attribute("data-internal", "true")
    expect(message(other, "Wrong window").get_by_role("button", name="Undo")).to_have_count(0)


def test_toasts_are_not_for_what_is_in_view(small_desk: Desk) -> None:
    bao, dana, casey = (small_desk.enter(name) for name in ("bao", "dana", "casey"))
    work, listing, elsewhere = bao.page(small_desk.ticket), bao.page(), bao.page("/profile/")
    for page in (work, listing, elsewhere):
        is_live(page)
    other = dana.page(small_desk.ticket)
    choose(other, "assigned_to", "Bao Nguyen")
    toast = elsewhere.locator("toast-list .toast-item")
    toast.hover()  # it stays
    send(other, "For you", note=True)
    expected = re.compile(r"“Charged twice” was assigned to you by Dana Okafor\s.*\+1 more\s*$", re.S)
    expect(toast).to_have_text(expected)
    send(other, "An answer")
    expect(message(work, "An answer")).to_be_visible()
    expect(work.locator("toast-list [data-announcement]")).to_contain_text("New reply added to “Charged twice”")
    expect(work.locator("toast-list .toast-item")).to_have_count(0)
    ask_unseen(casey, "Second")
    expect(listing.locator("#ticket-rows")).to_contain_text("Second")
    expect(listing.locator("toast-list [data-announcement]")).to_contain_text("New ticket “Second” by Casey Rivers")
    expect(listing.locator("toast-list .toast-item")).to_have_count(0)
    # The other ticket is not what this page shows.
    expect(work.locator("toast-list .toast-item")).to_contain_text("New ticket “Second”")


CONTROLS_UNDER_TOASTS = """() => {
  const { left, top, right, bottom } = document.querySelector("toast-list").getBoundingClientRect()
  const controls = document.querySelectorAll("main :is(a, button, input, select, textarea, summary, h1), .bar-item")
  return [...controls].filter((control) => {
    const box = control.getBoundingClientRect()
    if (!control.checkVisibility() || box.width <= 1) return false
    return box.left < right && box.right > left && box.top < bottom && box.bottom > top
  }).map((control) => control.outerHTML.slice(0, 80))
}"""


@pytest.mark.parametrize("width", [390, 1366])
def test_toast_covers_no_control(small_desk: Desk, width: int) -> None:
    person = small_desk.enter("bao", viewport={"width": width, "height": 844 if width < 768 else 768})
    pages = [person.page(path) for path in (small_desk.ticket, "/tickets/?status=closed", "/", "/tickets/new/")]
    for page in pages:
        is_live(page)
    ask_unseen(small_desk.enter("casey"), "Second")
    for page in pages:
        expect(page.locator(".toast-item")).to_contain_text(re.compile("Second"))
        assert page.evaluate(CONTROLS_UNDER_TOASTS) == []
