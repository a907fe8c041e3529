"""Messages in the browser: as rendered, and as typed."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect

TYPED = "  Thanks <b>2*3</b>\n\tfor **all**\n-- \nJohn\n\nעברית"


def send(page: Page, text: str) -> None:
    page.locator("ticket-composer textarea").fill(text)
    page.locator("ticket-composer textarea").press("Control+Enter")
    expect(page.locator("ticket-composer textarea")).to_have_value("")
    expect(page.locator("#replies > .reply")).to_have_count(1)


def test_original_of_old_and_live_messages_is_shown_in_place(small_desk: Desk) -> None:
    writer = small_desk.enter("casey").page(small_desk.ticket)
    reader = small_desk.enter("bao").page(small_desk.ticket)
    is_live(writer)
    is_live(reader)
    send(writer, "see\n" + TYPED)
    live = reader.locator("#replies > .reply").last
    expect(live.locator(".prose strong")).to_have_text("all")
    reader.reload()
    for page in (reader, writer):
        message = page.locator("#replies > .reply").last
        message.evaluate("item => item.parentElement.append(item)")  # as a note that is published
        asked = originals(page)
        button = message.get_by_role("button", name="Show original")
        button.click()
        expect(message.locator(".original")).to_have_text("see\n" + TYPED, use_inner_text=True)
        expect(message.locator(".prose")).to_be_hidden()
        expect(button).to_have_attribute("aria-pressed", "true")
        button.press(" ")
        expect(message.locator(".original")).to_have_count(0)
        expect(message.locator(".prose")).to_be_visible()
        assert len(asked) == 1
    edit(writer, "for *everyone*")
    for page in (reader, writer):
        message = page.locator("#replies > .reply").last
        expect(message.locator(".prose em")).to_have_text("everyone")
        expect(message.locator(".edited")).to_have_text(re.compile(r"edited\s+(now|\d)"))
        expect(page.locator("#timeline")).to_contain_text("edited a message")
    reader.get_by_role("button", name="edited").click()
    expect(reader.locator(".original")).to_contain_text(TYPED, use_inner_text=True)
    expect(writer.get_by_role("button", name="edited")).to_have_count(0)


def originals(page: Page) -> list[str]:
    """Collect the requests for messages as typed."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/original/" in request.url else None)
    return asked


def edit(page: Page, text: str) -> None:
    page.locator("#replies > .reply").last.get_by_role("link", name="Edit").click()
    expect(page).to_have_url(re.compile("/edit/$"))
    assert inspect(page) == []
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("#reply-"))


def test_paragraphs_have_their_own_direction_and_white_space_is_kept(small_desk: Desk) -> None:
    page = small_desk.enter("casey").page(small_desk.ticket)
    is_live(page)
    send(page, "English\n\nעברית\n\n    four spaces\ta tab")
    paragraphs = page.locator("#replies > .reply").last.locator(".prose p")
    expect(paragraphs).to_have_count(3)
    directions = paragraphs.evaluate_all("all => all.map((each) => getComputedStyle(each).direction)")
    assert directions == ["ltr", "rtl", "ltr"]
    assert paragraphs.nth(2).inner_text() == "    four spaces\ta tab"
    assert paragraphs.nth(2).evaluate("each => getComputedStyle(each).whiteSpaceCollapse") == "preserve"


def test_original_opens_without_scripts(small_desk: Desk) -> None:
    page = small_desk.enter("casey", java_script_enabled=False).page(small_desk.ticket)
    page.get_by_text("Show original").first.click()
    assert page.locator("pre").inner_text() == "Two charges for *May*."


def test_long_paste_stays_whole_with_a_sentence(small_desk: Desk) -> None:
    text = "x" * 60_003
    for name, address in (
        ("casey", small_desk.ticket),
        ("casey", "/tickets/new/"),
        ("ada", "/admin/tickets/ticket/add/"),
    ):
        page = small_desk.enter(name).page(address)
        box = page.locator("textarea[data-max-length]").first
        box.focus()
        page.keyboard.insert_text(text)
        assert len(box.input_value()) == len(text)
        sentence = page.get_by_role("alert").filter(has_text="too long (60,003 characters). The limit is 50,000")
        expect(sentence).to_be_visible()
        expect(box).to_have_attribute("aria-invalid", "true")
        box.fill("short")
        expect(sentence).to_have_count(0)
        expect(box).to_have_attribute("aria-invalid", "false")


def test_messages_are_quoted_and_their_links_copied(small_desk: Desk) -> None:
    bao = small_desk.enter("bao", permissions=["clipboard-read", "clipboard-write"])
    page = bao.page(small_desk.ticket)
    text = page.locator("textarea[name=message]")
    is_live(page)
    page.locator(".is-opening [data-quote]").click()
    expect(text).to_have_value(re.compile(r"^> .+\n\n$"))
    expect(text).to_be_focused()
    text.fill("")
    page.get_by_text("Internal note", exact=True).first.click()
    send(page, "Do *not* send it back")
    note = page.locator("#replies > .reply").last
    expect(note).to_contain_text("Do not send it back")
    page.locator(".composer-tabs label").first.click()
    text.fill("Hello")
    note.locator("[data-quote]").click()
    expect(text).to_have_value("Hello\n\n> Do *not* send it back\n\n")
    expect(page.locator("[name=internal][value=on]")).to_be_checked()
    text.fill("")
    note.locator(".prose em").dblclick()
    note.locator("[data-quote]").press("Space")
    expect(text).to_have_value("> not\n\n")
    note.locator("[data-copy]").click()
    expect(note.locator("[data-copied]")).to_have_text("Link copied")
    address = page.evaluate("navigator.clipboard.readText()")
    text.fill("")
    page.goto(address)
    expect(page.locator("li:target")).to_contain_text("Do not send it back")
