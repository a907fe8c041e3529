"""The composer is one line until it is used, and again once it was left empty."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, is_live

PHONE = {"width": 390, "height": 844}
DROP = """() => {
  const files = new DataTransfer()
  files.items.add(new File(["hello"], "hello.txt", { type: "text/plain" }))
  document.querySelector("form.composer").dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: files }))
}"""


def text(page: Page) -> Locator:
    return page.locator("ticket-composer textarea")


def buttons(page: Page) -> Locator:
    return page.locator("ticket-composer .composer-buttons .btn-primary")


def is_folded(page: Page) -> None:
    expect(page.locator("ticket-composer")).to_contain_class("is-folded")
    assert height(page) < 60


def is_open(page: Page) -> None:
    expect(page.locator("ticket-composer")).not_to_contain_class("is-folded")
    assert height(page) > 90
    expect(buttons(page)).to_be_in_viewport()


def height(page: Page) -> float:
    box = page.locator("form.composer").bounding_box()
    assert box is not None
    return box["height"]


def test_keys_open_the_composer_and_leaving_it_empty_folds_it(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    is_folded(page)
    page.keyboard.press("r")
    expect(text(page)).to_be_focused()
    is_open(page)
    page.keyboard.press("Escape")
    is_folded(page)
    expect(text(page)).not_to_be_focused()
    page.keyboard.press("n")
    is_open(page)
    expect(page.locator("ticket-composer [value=on]")).to_be_checked()
    page.locator("h1").click()
    is_folded(page)
    expect(text(page)).to_have_attribute("placeholder", "Write a reply…")
    page.keyboard.press("r")
    page.keyboard.type("Half an answer")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    is_open(page)
    page.keyboard.press("r")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.type("/")
    expect(page.get_by_role("combobox", name="Search saved replies")).to_be_focused()
    is_open(page)


def test_draft_and_dropped_files_open_the_composer(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    text(page).fill("Half an answer")
    page.reload()
    is_open(page)
    expect(text(page)).not_to_be_focused()
    text(page).fill("")
    page.locator("h1").click()
    is_folded(page)
    page.evaluate(DROP)
    expect(page.locator(".file-item")).to_contain_text("hello.txt")
    is_open(page)


def test_press_opens_the_composer_when_it_ends(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    box = text(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    expect(text(page)).to_be_focused()
    is_folded(page)
    page.mouse.up()
    is_open(page)
    # The pointer rests where the page would move.
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    is_open(page)
    page.mouse.move(5, 5)
    is_folded(page)
    page.locator(".composer-tabs label").last.click()
    expect(text(page)).to_be_focused()
    expect(page.locator("ticket-composer [value=on]")).to_be_checked()
    is_open(page)


def test_open_composer_leaves_room_on_a_phone(small_desk: Desk) -> None:
    page = small_desk.enter("bao", viewport=PHONE, has_touch=True).page(small_desk.ticket)
    is_live(page)
    is_folded(page)
    text(page).tap()
    is_open(page)
    assert height(page) < 160
    page.get_by_title("More ways to send").tap()
    text(page).fill("Done")
    page.get_by_title("More ways to send").tap()
    page.get_by_role("button", name="Send and close").tap()
    expect(page.locator("#replies > .reply").last).to_contain_text("Done")
    expect(page.locator("ticket-facts [data-text='ticket.status']").first).to_have_text("Closed")


def test_composer_is_open_without_scripts(small_desk: Desk) -> None:
    page = small_desk.enter("bao", java_script_enabled=False).page(small_desk.ticket)
    expect(buttons(page)).to_be_visible()
    assert height(page) > 90
