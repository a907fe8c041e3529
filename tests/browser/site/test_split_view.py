"""The split view: the list, and beside it the ticket that was chosen there, whose address the page takes."""

import re
from collections import Counter
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Desk, Person, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import ask_unseen, choose, send

WIDE, NARROW = {"width": 1366, "height": 768}, {"width": 1100, "height": 768}
TICKET = re.compile(r"/tickets/[0-9a-f-]{36}/\?list=$")
LIST = re.compile(r"/tickets/$")
PREFER = 'from accounts.models import User; User.objects.filter(email="bao@example.com").update({})'


def prefer(desk: Desk, values: str) -> None:
    desk.manage("shell", "-v", "0", "-c", PREFER.format(values))


@pytest.fixture
def split(small_desk: Desk) -> Desk:
    """Bao has chosen the split view; the latest tickets are Third, Second, Charged twice."""
    casey = small_desk.enter("casey")
    for subject in ("Second", "Third"):
        ask_unseen(casey, subject)
    prefer(small_desk, "splits_list=True")
    return small_desk


def listed(desk: Desk, **size: Any) -> tuple[Person, Page]:
    person = desk.enter("bao", viewport=size or WIDE)
    page = person.page("/tickets/")
    is_live(page)
    return person, page


def title(page: Page) -> Locator:
    return page.locator(".pane ticket-page h1")


def row(page: Page, subject: str) -> Locator:
    return page.locator("#ticket-rows > .ticket-row").filter(has_text=subject)


def is_shown(page: Page, subject: str) -> None:
    """Wait until the pane, the address, the title and the row's mark agree."""
    expect(title(page)).to_have_text(subject)
    expect(page).to_have_url(TICKET)
    expect(page).to_have_title(re.compile(rf"^(\(\d+\) )?{subject} · TIKM$"))
    expect(page.locator(".row-link[aria-current]")).to_have_text(subject)


def composer(page: Page) -> Locator:
    return page.locator(".pane ticket-composer textarea")


def test_tickets_are_read_beside_the_list_and_the_address_follows(split: Desk) -> None:
    person, page = listed(split)
    page.evaluate("document.isSamePage = true")
    row(page, "Third").click()
    is_shown(page, "Third")
    expect(title(page)).to_be_focused()
    page.keyboard.press("j")
    is_shown(page, "Second")
    expect(row(page, "Second").locator(".row-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(title(page)).to_be_focused()
    dana = split.enter("dana").page(page.url)
    is_live(dana)
    send(dana, "Seen beside the list")
    expect(page.locator("#replies > .reply").last).to_contain_text("Seen beside the list")
    page.keyboard.press("u")
    expect(row(page, "Second").locator(".row-link")).to_be_focused()
    page.go_back()
    is_shown(page, "Third")
    page.go_back()
    expect(page).to_have_url(LIST)
    expect(page.locator(".pane")).to_contain_text("Choose a ticket")
    for subject in ("Third", "Second"):
        page.go_forward()
        is_shown(page, subject)
    assert page.evaluate("document.isSamePage")
    page.reload()
    is_shown(page, "Second")
    is_live(page)
    page.keyboard.press("j")
    is_shown(page, "Third")
    assert person.problems == []
    assert inspect(page) == []


def test_draft_is_kept_when_another_ticket_is_shown(split: Desk) -> None:
    _, page = listed(split)
    row(page, "Third").click()
    is_shown(page, "Third")
    composer(page).fill("Half an answer")
    row(page, "Second").click()
    is_shown(page, "Second")
    expect(composer(page)).to_have_value("")
    expect(row(page, "Third").locator(".row-draft")).to_be_visible()
    row(page, "Third").click()
    is_shown(page, "Third")
    expect(composer(page)).to_have_value("Half an answer")
    other = split.enter("bao").page(page.url)
    expect(other.locator("ticket-composer textarea")).to_have_value("Half an answer")


def test_message_that_is_being_sent_is_sent_before_the_next_ticket_is_shown(split: Desk) -> None:
    _, page = listed(split)
    row(page, "Third").click()
    is_shown(page, "Third")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/replies/", hold)
    composer(page).fill("On its way")
    composer(page).press("Control+Enter")
    expect(page.locator("form.composer")).to_have_attribute("aria-busy", "true")
    row(page, "Second").click()
    expect(page.locator(".pane")).to_have_attribute("aria-busy", "true")
    expect(title(page)).to_have_text("Third")
    held[0].continue_()
    is_shown(page, "Second")
    expect(row(page, "Third")).to_contain_text("On its way")
    expect(row(page, "Third").locator(".row-draft")).to_be_hidden()


def test_reply_leads_to_the_next_ticket_beside_the_list(split: Desk) -> None:
    prefer(split, "after_sending='next'")
    _, page = listed(split)
    page.evaluate("document.isSamePage = true")
    row(page, "Third").click()
    is_shown(page, "Third")
    composer(page).fill("Done")
    composer(page).press("Control+Enter")
    is_shown(page, "Second")
    expect(page.locator(".pane .notice")).to_contain_text("was sent.")
    assert page.evaluate("document.isSamePage")


def test_tickets_that_keys_pass_are_neither_loaded_nor_read(split: Desk) -> None:
    _, page = listed(split)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for key in "jjj":
        page.keyboard.press(key)
    is_shown(page, "Charged twice")
    expect(row(page, "Charged twice").locator(".unread-mark")).to_be_hidden()
    loaded = {url for url in asked if re.search(r"/tickets/[0-9a-f-]{36}/\?list=", url)}
    assert loaded == {page.url}
    assert not [url for url in asked if url.endswith("read.gif")]
    for subject in ("Second", "Third"):
        expect(row(page, subject).locator(".unread-mark")).to_be_visible()


def test_ticket_that_is_lost_says_so_beside_the_list(split: Desk) -> None:
    _, page = listed(split)
    row(page, "Charged twice").click()
    is_shown(page, "Charged twice")
    work = split.enter("ada").page(split.ticket)
    is_live(work)
    choose(work, "office", "Orders")
    lost = page.locator(".pane #access-ended")
    expect(lost).to_contain_text("You no longer have access")
    expect(row(page, "Charged twice")).to_have_count(0)
    row(page, "Second").click()
    is_shown(page, "Second")
    expect(lost).to_be_hidden()
    page.goto(f"{split.ticket}?list=")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


def test_narrow_windows_and_other_people_have_pages_as_before(split: Desk) -> None:
    _, page = listed(split, **NARROW)
    page.evaluate("document.isSamePage = true")
    row(page, "Third").click()
    expect(page.locator("ticket-page h1")).to_have_text("Third")
    expect(page.locator(".tickets")).to_have_count(0)
    assert not page.evaluate("document.isSamePage")
    page.set_viewport_size(WIDE)
    expect(row(page, "Third")).to_be_visible()
    page.set_viewport_size(NARROW)
    expect(row(page, "Third")).to_be_hidden()
    for name in ("casey", "dana"):
        other = split.enter(name, viewport=WIDE).page("/tickets/")
        expect(other.locator("split-view")).to_have_count(0)


def test_split_view_is_a_choice_in_the_list(split: Desk) -> None:
    _, page = listed(split)
    page.get_by_role("button", name="Split view").click()
    expect(page.locator("split-view")).to_have_count(0)
    page.get_by_role("button", name="Split view").click()
    expect(page.locator("split-view")).to_have_count(1)


def subscriptions(frames: list[str]) -> Counter[str]:
    """Return how often each channel is subscribed at the end."""
    left: Counter[str] = Counter()
    for frame in frames:
        step = {"pusher:subscribe": 1, "pusher:unsubscribe": -1}
        for event, change in step.items():
            if f'"{event}"' in frame:
                left[re.search(r'"channel":"([^"]+)"', frame)[1]] += change
    return +left


def test_twenty_tickets_leave_no_subscription_behind(split: Desk) -> None:
    person = split.enter("bao", viewport=WIDE)
    page = person.context.new_page()
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda text: sent.append(str(text))))
    page.goto("/tickets/")
    is_live(page)
    row(page, "Third").click()
    is_shown(page, "Third")
    is_live(page)
    before = subscriptions(sent)
    assert sum("tickets." in channel for channel in before) == 2
    for _ in range(10):
        for subject in ("Second", "Third"):
            row(page, subject).click()
            is_shown(page, subject)
    is_live(page)
    assert subscriptions(sent) == before
