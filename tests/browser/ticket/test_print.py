"""Tickets and lists on paper: text, people and dates, without controls, on as many pages as the text needs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.actions import send

PAPERS = [
    {"format": paper, "landscape": landscape, "scale": scale}
    for paper in ("A4", "Letter")
    for landscape in (False, True)
    for scale in (0.6, 1, 1.5)
]
DATE = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d")
CONTROLS = (
    "button, input, select, textarea, summary, nav, ticket-composer, toast-list, .bar, .btn, .avatar, .original-link"
)


def sheets(page: Page, **options: object) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(**options)))


def on_paper(page: Page) -> str:
    """Return the text that is printed."""
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(CONTROLS).evaluate_all("all => all.filter((one) => one.checkVisibility()).length") == 0
    return page.locator("main").inner_text()


@pytest.mark.parametrize("name", ["bao", "casey"])
def test_ticket_is_printed_on_as_many_pages_as_its_text(small_desk: Desk, name: str) -> None:
    work = small_desk.enter("bao").page(small_desk.ticket)
    for number in range(6):
        send(work, f"Answer {number}")
    page = small_desk.enter(name, viewport={"width": 1440, "height": 900}).page(small_desk.ticket)
    is_live(page)
    page.locator("ticket-composer textarea").fill("A draft")
    found = {str(paper): sheets(page, **paper) for paper in PAPERS}
    assert {
        paper: count for paper, count in found.items() if count > (2 if "1.5" in paper or "True" in paper else 1)
    } == {}
    text = on_paper(page)
    reference = page.locator(".stub[data-text='ticket.reference']").inner_text()
    for part in (reference, "Charged twice", "Casey Rivers", "Bao Nguyen", "Two charges for May.", "Answer 5"):
        assert part in text
    # The header has three dates, the opening one, each answer one.
    assert len(DATE.findall(text)) == 10
    assert not re.search(r"\bago\b|\bnow\b", text)
    assert "A draft" not in text


def test_long_ticket_fills_its_pages(small_desk: Desk) -> None:
    work = small_desk.enter("bao").page(small_desk.ticket)
    is_live(work)
    lines = [
        f"Line {number}: we looked into it, and found that two charges were made on the same day."
        for number in range(120)
    ]
    work.locator("ticket-composer textarea").fill("\n".join(lines))
    work.locator("ticket-composer textarea").press("Control+Enter")
    expect(work.locator("#replies > .reply")).to_contain_text("Line 119")
    # 120 lines of 14 px with a line height of 1.45: about 2500 px, of which an A4 page holds about 1000.
    assert sheets(work, format="A4") <= 4


def test_notes_are_marked_on_paper(small_desk: Desk) -> None:
    work = small_desk.enter("bao").page(small_desk.ticket)
    is_live(work)
    send(work, "For us", note=True)
    assert "Internal note" in on_paper(work)


@pytest.mark.parametrize("name", ["bao", "casey"])
@pytest.mark.parametrize("width", [390, 1440])
def test_list_is_printed_as_a_table(small_desk: Desk, name: str, width: int) -> None:
    page = small_desk.enter(name, viewport={"width": width, "height": 844}).page()
    is_live(page)
    assert [sheets(page, **paper) for paper in PAPERS] == [1] * len(PAPERS)
    text = on_paper(page)
    assert page.locator(".reference").first.inner_text() in text
    assert "Charged twice" in text
    assert "Open" in text
    assert DATE.search(text)
    row = page.locator(".ticket-row").first
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row"
    page.set_viewport_size({"width": 459, "height": 1000})  # A4, enlarged to 150 %
    assert row.bounding_box()["width"] <= 459
