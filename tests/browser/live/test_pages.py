"""Pages in a real browser: revoked access, drafts, live lists, no scripts."""

import re
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live, sign_in
from tests.browser.support.actions import ask, choose, send, status


def test_page_shows_that_access_was_revoked(small_desk: Desk) -> None:
    bao, ada = small_desk.enter("bao"), small_desk.enter("ada")
    lost, listing, control = bao.page(small_desk.ticket), bao.page(), ada.page(small_desk.ticket)
    for page in (lost, listing, control):
        is_live(page)
    row = listing.locator(f"#ticket-{small_desk.cast['ticket']}")
    expect(row).to_be_visible()
    lost.locator("ticket-composer textarea").fill("Half an answer")
    choose(control, "office", "Orders")
    expect(lost.get_by_role("dialog").get_by_label("Your unsent text")).to_have_value("Half an answer")
    expect(row).to_have_count(0)
    send(control, "Now it is yours", note=True)
    assert "Now it is yours" not in lost.content() + "".join(bao.frames)
    assert "Now it is yours" in "".join(ada.frames)


def test_sign_out_in_one_tab_ends_the_other(small_desk: Desk) -> None:
    casey = small_desk.enter("casey")
    stays, leaves = casey.page(small_desk.ticket), casey.page()
    is_live(stays)
    stays.locator("ticket-composer textarea").fill("Half a question")
    leaves.goto("/logout/")
    leaves.locator("main form button[type=submit]").click()
    expect(leaves).to_have_url(re.compile(r"/login/$"))
    expect(stays.locator("state-chip")).to_have_attribute("data-state", "ended")
    expect(stays.locator("state-chip [data-state=ended]")).to_be_visible()
    expect(stays.locator("#access-ended")).to_be_hidden()
    expect(stays.locator("ticket-composer textarea")).to_have_value("Half a question")


def test_live_updates_keep_draft_focus_and_scroll_position(small_desk: Desk) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.enter("casey")
    work, page = bao.page(small_desk.ticket), casey.page(small_desk.ticket)
    is_live(work)
    is_live(page)
    for number in range(12):
        send(work, f"Line {number}, " + "and more " * 20)
    expect(page.locator("#replies > .reply")).to_have_count(12)
    text = page.locator("ticket-composer textarea")
    text.fill("My draft")
    text.evaluate("element => element.setSelectionRange(3, 3)")
    before = text.bounding_box()
    send(work, "One more")
    expect(page.locator("#replies > .reply")).to_have_count(13)
    after = text.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    assert text.input_value() == "My draft"
    assert text.evaluate("element => [document.activeElement === element, element.selectionStart]") == [True, 3]
    page.reload()
    is_live(page)
    assert text.input_value() == "My draft"


def test_draft_of_a_note_is_restored_as_a_note(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    page.locator("ticket-composer input[name=internal][value=on]").check(force=True)
    page.locator("ticket-composer textarea").fill("Check their card")
    page.reload()
    is_live(page)
    expect(page.locator("ticket-composer textarea")).to_have_value("Check their card")
    page.locator("ticket-composer textarea").press("Control+Enter")
    expect(page.locator("#replies > .reply")).to_have_attribute("data-internal", "true")


def test_second_change_during_a_request_is_sent_too(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page(small_desk.ticket)
    is_live(page)
    page.locator("form[data-autosubmit] select[name=status]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    status(page, "On Hold")
    page.reload()
    status(page, "On Hold")


def test_list_does_not_move_under_the_pointer(small_desk: Desk) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.enter("casey")
    listing = bao.page()
    is_live(listing)
    listing.locator("#ticket-rows a").first.focus()
    ask(casey, "A second one", "Hello")
    pending = listing.locator("#pending-updates")
    expect(pending).to_be_visible()
    expect(pending).to_contain_text("1")
    expect(listing.locator("#ticket-rows > *")).to_have_count(1)
    pending.click()
    expect(listing.locator("#ticket-rows > *").first).to_contain_text("A second one")
    expect(pending).to_be_hidden()


def test_page_without_a_socket_polls_the_history(small_desk: Desk) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.visitor()
    casey.context.route_web_socket(re.compile("/app/"), lambda socket: socket.close())
    page = casey.page("/login/")
    sign_in(page, "casey")
    page.goto(small_desk.ticket)
    work = bao.page(small_desk.ticket)
    is_live(work)
    send(work, "By the history")
    expect(page.locator("#replies > .reply")).to_contain_text("By the history", timeout=30_000)
    expect(page.locator("state-chip")).to_have_attribute("data-state", "polling")
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "false")


def test_page_older_than_the_log_reloads_and_keeps_the_draft(
    small_desk: Desk,
) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.enter("casey")
    work, page = bao.page(small_desk.ticket), casey.page(small_desk.ticket)
    is_live(work)
    is_live(page)
    page.locator("ticket-composer textarea").fill("I am still typing")
    casey.wire.cut()
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "false")
    send(work, "Before the log was trimmed")
    small_desk.manage("prune_broadcasts", "--days", "0")
    casey.wire.mend()
    expect(page.locator("#replies > .reply")).to_contain_text("Before the log was trimmed", timeout=30_000)
    expect(page.locator("ticket-composer textarea")).to_have_value("I am still typing")
    is_live(page)


def test_very_long_reply_arrives_complete(small_desk: Desk) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.enter("casey")
    work, page = bao.page(small_desk.ticket), casey.page(small_desk.ticket)
    is_live(work)
    is_live(page)
    work.locator("ticket-composer textarea").fill("word " * 4000 + "**end**")
    work.locator("ticket-composer textarea").press("Control+Enter")
    expect(page.locator("#replies > .reply strong")).to_have_text("end")
    assert '"truncated":true' in "".join(casey.frames).replace("\\", "")


def without_scripts(desk: Desk, name: str) -> Page:
    """Sign `name` in without scripts, and return the ticket's page."""
    page = desk.visitor(java_script_enabled=False).page("/login/")
    sign_in(page, name)
    page.goto(desk.ticket)
    return page


def test_ticket_page_works_without_scripts(small_desk: Desk) -> None:
    page = without_scripts(small_desk, "casey")
    page.locator("ticket-composer textarea").fill("Without *scripts*")
    page.locator("ticket-composer button[type=submit]").click()
    expect(page.locator("#replies em")).to_have_text("scripts")
    work = without_scripts(small_desk, "bao")
    form = work.locator("form[data-autosubmit]").filter(has=work.locator("select[name=status]"))
    if not form.is_visible():
        work.locator(".panel summary").click()
    form.locator("select").select_option(label="Closed")
    form.get_by_role("button", name="Save").click()
    status(work, "Closed")


def test_test_event_shows_only_a_toast(small_desk: Desk) -> None:
    casey = small_desk.enter("casey")
    page = casey.page(small_desk.ticket)
    is_live(page)
    before = page.locator("#timeline > li").count()
    command = ["broadcast", "ticket.updated", "--ticket", small_desk.cast["ticket"], "--by", "bao@example.com"]
    with ThreadPoolExecutor(1) as thread:
        output = thread.submit(small_desk.manage, *command)  # waits for receipts while the toast appears
        expect(page.locator("toast-list")).to_contain_text("was updated by Bao Nguyen", timeout=30_000)
    assert page.locator("#timeline > li").count() == before
    assert re.search(r"[1-9] sockets received the event from 1 processes", output.result())


def test_page_that_missed_nothing_is_live_without_the_history(small_desk: Desk) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.enter("casey")
    asked: list[str] = []
    casey.context.on("request", lambda request: asked.append(request.url))
    page = casey.page(small_desk.ticket)
    is_live(page)
    assert not [url for url in asked if "/broadcasting/history" in url]
    assert "realtime:missed" in "".join(casey.frames)
    # Only now: what staff read changes the receipts of the customer's page.
    work = bao.page(small_desk.ticket)
    is_live(work)
    with page.expect_request("**/broadcasting/history?*", timeout=15_000):
        casey.wire.cut()
        send(work, "Sent while offline")
    casey.wire.mend()
    expect(page.locator("#replies > .reply")).to_contain_text("Sent while offline", timeout=30_000)
