"""Two users on one ticket, in two browsers: each sees the other's changes at once, and only permitted ones."""

import json
import re
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Person, is_live, sign_in
from tests.browser.support.actions import ask, choose, make_internal, message, send, status
from tests.browser.support.attachments import PICTURE, TEXT, named, pick

SECRET = "April is also unpaid"


def replies(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#replies > .reply .prose").all_inner_texts()]


def received_frames(person: Person) -> str:
    """Return all that a person's sockets and history brought."""
    query = urlencode({"since": live_config(person)["cursor"], "channel": own_channel(person)})
    answer = person.context.request.get(f"/broadcasting/history?{query}")
    assert answer.ok, answer.text()
    return "\n".join(person.frames) + answer.text()


def own_channel(person: Person) -> str:
    return live_config(person)["channels"][0]


def live_config(person: Person) -> dict[str, Any]:
    return json.loads(person.context.pages[-1].locator("#live-config").text_content() or "{}")


def the_agent_writes_a_note_and_an_answer(work: Page, tab: Page, asked: Page) -> None:
    send(work, SECRET, note=True)
    expect(tab.locator("#replies > .reply").filter(has_text=SECRET)).to_be_visible()

    send(work, "We send **another** one 🎁")
    answer = asked.locator("#replies > .reply").last
    expect(answer.locator("strong").filter(has_text="another")).to_be_visible()
    expect(answer).to_contain_text("🎁")


def assert_note_reached_staff_only(bao: Person, casey: Person, page: Page) -> None:
    assert SECRET in received_frames(bao)
    assert SECRET not in received_frames(casey) + page.content()
    assert "internal note" not in page.locator("#timeline").inner_text().lower()


def test_customer_and_agent_work_on_a_ticket_together(desk: Desk) -> None:
    bao, casey = desk.visitor(server=0), desk.visitor()
    for person, name in ((bao, "bao"), (casey, "casey")):
        sign_in(person.page("/login/"), name)
    lists = bao.page("/tickets/")
    is_live(lists)

    asked = ask(casey, "The cup is broken", "It came in *two* pieces.")
    is_live(asked)
    row = lists.locator("#ticket-rows > *").filter(has_text="The cup is broken")
    expect(row).to_be_visible()
    address = asked.url.removeprefix(casey.wire.url)
    work, tab = bao.page(address), bao.page(address)
    is_live(work)
    is_live(tab)

    choose(work, "assigned_to", "Bao Nguyen")
    expect(asked.locator("ticket-facts")).to_contain_text("Bao Nguyen")
    expect(row).to_contain_text("Bao Nguyen")

    the_agent_writes_a_note_and_an_answer(work, tab, asked)

    choose(work, "status", "Closed")
    status(asked, "Closed")
    expect(row).to_have_count(0)

    send(asked, "Thank you! But the saucer?")
    status(asked, "Open")
    status(work, "Open")
    for page in (work, tab):
        expect(page.locator("#replies > .reply").last).to_contain_text("saucer")
    expect(row).to_be_visible()

    public = ["We send another one 🎁", "Thank you! But the saucer?"]
    assert replies(asked) == public
    assert replies(tab) == [SECRET, *public]
    asked.reload()
    assert replies(asked) == public
    assert_note_reached_staff_only(bao, casey, asked)
    assert bao.problems == casey.problems == []


def test_files_of_a_reply_appear_live(desk: Desk) -> None:
    bao, casey = desk.enter("bao", server=0).page(desk.ticket), desk.enter("casey").page(desk.ticket)
    is_live(bao)
    is_live(casey)
    pick(bao, PICTURE, TEXT)
    bao.locator("ticket-composer textarea").fill("See the receipt")
    assert named(bao) == ["receipt.png", "log.txt"]
    bao.get_by_role("button", name="Send reply").click()
    for page in (bao, casey):
        answer = page.locator("#replies > .reply").last
        expect(answer.locator(".attachment-name")).to_have_text(["receipt.png", "log.txt"])
        expect(answer.locator(".attachment-size").last).to_have_text(re.compile(r"^1\D*kB$"))
        picture = answer.locator("img.attachment-picture").first
        expect(picture).to_be_visible()
    expect(bao.locator(".file-item")).to_have_count(0)
    with casey.expect_download() as download:
        casey.get_by_role("link", name="log.txt").click()
    assert download.value.suggested_filename == "log.txt"


def test_page_is_complete_after_a_lost_connection(desk: Desk) -> None:
    bao, casey = desk.enter("bao", server=0), desk.enter("casey")
    work, page = bao.page(desk.ticket), casey.page(desk.ticket)
    is_live(work)
    is_live(page)
    send(work, "Before")
    expect(page.locator("#replies > .reply")).to_have_count(1)
    page.locator("ticket-composer textarea").fill("I am still typing")

    casey.wire.cut()
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "false")
    send(work, "First")
    send(work, SECRET, note=True)
    send(work, "Second")
    choose(work, "status", "On Hold")
    status(work, "On Hold")
    assert replies(page) == ["Before"]

    casey.wire.mend()
    expect(page.locator("#replies > .reply")).to_have_count(3, timeout=30_000)
    status(page, "On Hold")
    # pusher-js waits for fifteen seconds before its third try.
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "true", timeout=30_000)
    assert replies(page) == ["Before", "First", "Second"]
    assert page.locator("ticket-composer textarea").input_value() == "I am still typing"
    send(work, "After")
    expect(page.locator("#replies > .reply").last).to_contain_text("After")
    assert replies(page) == ["Before", "First", "Second", "After"]
    assert SECRET not in received_frames(casey) + page.content()
    assert SECRET in received_frames(bao)


def make_public_by_keyboard(page: Page, text: str) -> None:
    message(page, text).locator("summary[title='Make public…']").press("Enter")
    expect(message(page, text)).to_contain_text("Casey Rivers will see this")
    message(page, text).get_by_role("button", name="Make public").press("Enter")


def test_visibility_changes_reach_the_customers_page(small_desk: Desk) -> None:
    bao, dana, casey = [small_desk.enter(name) for name in ("bao", "dana", "casey")]
    work, other, page = [person.page(small_desk.ticket) for person in (bao, dana, casey)]
    for each in (work, other, page):
        is_live(each)
    send(work, SECRET, note=True)
    send(work, "Sorry, wrong window")
    expect(message(page, "wrong window")).to_be_visible()
    page.locator("ticket-composer textarea").fill("I am still typing")
    assert SECRET not in received_frames(casey) + page.content()

    make_public_by_keyboard(other, SECRET)
    expect(message(page, SECRET)).to_be_visible()
    expect(message(other, SECRET).locator("summary[title='Make internal…']")).to_be_focused()
    expect(message(work, SECRET)).to_have_attribute("data-internal", "false")
    assert replies(page) == replies(work) == replies(other) == ["Sorry, wrong window", SECRET]

    make_internal(work, "wrong window")
    expect(message(page, "wrong window")).to_have_count(0)
    expect(message(other, "wrong window")).to_have_attribute("data-internal", "true")
    assert replies(work) == replies(other) == ["Sorry, wrong window", SECRET]
    assert page.locator("ticket-composer textarea").input_value() == "I am still typing"

    timelines = [
        each.locator("#timeline > li").evaluate_all("all => all.map(li => li.dataset.action)")
        for each in (work, page)
    ]
    assert timelines == [
        ["created", "published", "hidden"],
        ["created", "deleted"],
    ]
    for each, timeline in zip((work, page), timelines, strict=True):
        each.reload()
        lines = each.locator("#timeline > li").evaluate_all("all => all.map(li => li.dataset.action)")
        assert (lines, SECRET in replies(each)) == (timeline, True)
    assert replies(page) == [SECRET]
    assert "wrong window" not in casey.context.request.get(page.url).text()
    assert bao.problems == dana.problems == casey.problems == []
