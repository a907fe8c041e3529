"""Images of a conversation open in a viewer."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.support.accessibility import inspect
from tests.browser.support.attachments import PICTURE, TEXT, at_a_ticket, named, pick

SWIPE = """([from, to]) => {
  const stage = document.querySelector(".viewer-stage")
  const at = (x) => ({ clientX: x, clientY: 300, isPrimary: true, pointerType: "touch", bubbles: true })
  stage.dispatchEvent(new PointerEvent("pointerdown", at(from)))
  stage.dispatchEvent(new PointerEvent("pointerup", at(to)))
}"""


def send_pictures(page: Page) -> None:
    pick(page, *({**PICTURE, "name": f"{name}.png"} for name in ("front", "back")), TEXT)
    named(page)
    page.locator("ticket-composer textarea").fill("As you asked")
    page.locator("ticket-composer textarea").press("Control+Enter")


def test_images_are_looked_at_one_after_the_other(small_desk: Desk) -> None:
    casey, bao = at_a_ticket(small_desk, "casey", "bao")
    send_pictures(casey)
    for page in (bao, casey):
        image = page.get_by_role("link", name=re.compile("front.png"))
        expect(image).not_to_have_attribute("download", re.compile(""))
        image.press("Enter")
        viewer = page.get_by_role("dialog", name="front.png")
        expect(viewer.get_by_role("img", name="front.png")).to_be_visible()
        expect(viewer.locator("[data-place]")).to_have_text("1 / 2")
        assert inspect(page) == []
        page.keyboard.press("ArrowRight")
        viewer = page.get_by_role("dialog", name="back.png")
        expect(viewer.get_by_role("img", name="back.png")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(viewer.locator("[data-place]")).to_have_text("2 / 2")
        page.keyboard.press("+")
        expect(viewer.locator("[data-zoom]")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("-")
        page.evaluate(SWIPE, [100, 300])
        expect(page.get_by_role("dialog", name="front.png")).to_be_visible()
        page.evaluate(SWIPE, [300, 100])
        with page.expect_download() as download:
            page.get_by_role("dialog").get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "back.png"
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("link", name=re.compile("back.png"))).to_be_focused()
        # Other files are downloads.
        expect(page.get_by_role("link", name=re.compile("log.txt"))).to_have_attribute("download", "")
        page.reload()


def test_image_opens_by_itself_without_scripts(small_desk: Desk) -> None:
    (casey,) = at_a_ticket(small_desk, "casey")
    send_pictures(casey)
    expect(casey.locator("#replies .attachment")).to_have_count(3)
    page = small_desk.enter("bao", java_script_enabled=False).page(small_desk.ticket)
    page.get_by_role("link", name=re.compile("front.png")).click()
    expect(page).to_have_url(re.compile("/view/"))
