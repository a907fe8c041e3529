"""Drafts survive whatever happens to the page, and are neither shown to nor sent as another person."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, is_live, sign_in
from tests.browser.support.actions import send
from tests.support.cast import PASSWORD

STORED = "() => Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length"
SOON = 20_000


def composer(page: Page) -> Locator:
    return page.locator("ticket-composer textarea")


def opened(desk: Desk, name: str) -> Page:
    page = desk.enter(name).page(desk.ticket)
    is_live(page)
    return page


def again(page: Page, desk: Desk) -> Page:
    """Close the page, and open another one in the same browser."""
    context = page.context
    page.close()
    other = context.new_page()
    other.goto(desk.ticket)
    is_live(other)
    return other


def sign_out(page: Page) -> None:
    page.goto("/logout/")
    page.locator("main form button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/login/$"))


@pytest.mark.parametrize("note", [False, True])
def test_draft_of_a_message_survives_closing_the_page(small_desk: Desk, note: bool) -> None:
    page = opened(small_desk, "bao")
    page.locator(f"ticket-composer input[name=internal][value='{'on' if note else ''}']").check(force=True)
    composer(page).fill("Half an answer")
    page = again(page, small_desk)
    expect(composer(page)).to_have_value("Half an answer")
    expect(page.locator("ticket-composer input[value=on]")).to_be_checked(checked=note)
    composer(page).press("Control+Enter")
    expect(page.locator("#replies > .reply")).to_have_attribute("data-internal", str(note).lower())
    page = again(page, small_desk)
    expect(composer(page)).to_have_value("")
    assert page.evaluate(STORED) == 0


def test_draft_of_a_new_ticket_survives_a_link_and_is_removed_when_sent(small_desk: Desk) -> None:
    page = small_desk.enter("casey").page("/tickets/new/")
    is_live(page)
    page.locator("[name=subject]").fill("The saucer")
    page.locator("[name=content]").fill("It broke, too")
    page.get_by_role("radio", name="Orders").check()
    page.locator(".bar a[href='/tickets/']").click()
    expect(page).to_have_url(re.compile(r"/tickets/$"))
    page.goto("/tickets/new/")
    expect(page.locator("[name=subject]")).to_have_value("The saucer")
    expect(page.locator("[name=content]")).to_have_value("It broke, too")
    expect(page.get_by_role("radio", name="Orders")).to_be_checked()
    page.locator("main form button[type=submit]").last.click()
    expect(page).to_have_url(re.compile(r"/tickets/[0-9a-f-]{36}/$"))
    is_live(page)
    assert page.evaluate(STORED) == 0
    page.goto("/tickets/new/")
    expect(page.locator("[name=subject]")).to_have_value("")


def test_rejected_new_ticket_keeps_its_draft(small_desk: Desk) -> None:
    page = small_desk.enter("casey").page("/tickets/new/")
    is_live(page)
    page.locator("[name=content]").fill("No subject yet")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".field-error").first).to_be_visible()
    page.goto("/tickets/")
    page.goto("/tickets/new/")
    expect(page.locator("[name=content]")).to_have_value("No subject yet")


def test_draft_follows_into_another_tab(small_desk: Desk) -> None:
    page = opened(small_desk, "casey")
    other = page.context.new_page()
    other.goto(small_desk.ticket)
    is_live(other)
    composer(page).fill("Half a question")
    expect(composer(other)).to_have_value("Half a question")
    send(page, "Half a question")
    expect(composer(other)).to_have_value("")


def test_signing_out_amid_a_reply_ends_what_others_see_and_keeps_the_text_for_its_author(small_desk: Desk) -> None:
    work, colleague, asked = (opened(small_desk, name) for name in ("bao", "dana", "casey"))
    writing = [page.locator(".composer-activity") for page in (colleague, asked)]
    composer(work).press_sequentially("My card number")
    for shown, words in zip(writing, ("Bao Nguyen is replying right now", "Bao Nguyen is writing…"), strict=True):
        expect(shown).to_have_text(words)
    assert work.evaluate(STORED) == 1
    work.locator(".bar details.menu summary").last.click()
    work.get_by_role("button", name="Sign out").click()
    expect(work).to_have_url(re.compile(r"/login/$"))
    assert work.evaluate(STORED) == 0
    for shown in writing:
        expect(shown).to_be_hidden()
    expect(colleague.locator("ticket-presence .colleague")).to_have_count(0)

    for name in ("ada", "casey"):  # on the same browser: one who may read the ticket's notes, and its customer
        sign_in(work, name)
        work.goto(small_desk.ticket)
        is_live(work)
        expect(composer(work)).to_have_value("")
        assert "My card number" not in work.content()
        sign_out(work)
    sign_in(work, "bao")
    work.goto(small_desk.ticket)
    expect(composer(work)).to_have_value("My card number")
    composer(work).press("Control+Enter")
    for page in (colleague, asked):
        expect(page.locator("#replies > .reply")).to_contain_text("My card number")


def test_draft_is_sent_after_signing_out_and_in_again_in_another_tab(small_desk: Desk) -> None:
    page = opened(small_desk, "casey")
    composer(page).fill("Half a question")
    other = page.context.new_page()
    sign_out(other)
    expect(page.locator("state-chip")).to_have_attribute("data-state", "ended")
    sign_in(other, "casey")
    expect(page.locator("state-chip")).to_have_attribute("data-connected", "true", timeout=SOON)
    expect(composer(page)).to_have_value("Half a question")
    composer(page).press("Control+Enter")
    expect(page.locator("#replies > .reply")).to_contain_text("Half a question")
    # Live as before: what others write arrives.
    send(opened(small_desk, "bao"), "A whole answer")
    expect(page.locator("#replies > .reply").last).to_contain_text("A whole answer")


def test_page_that_has_not_noticed_the_new_session_sends(small_desk: Desk) -> None:
    page = opened(small_desk, "casey")
    composer(page).fill("Half a question")
    page.evaluate("document.querySelector('meta[name=csrf-token]').content = 'x'.repeat(64)")
    page.evaluate("document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach((field) => { field.value = 'x' })")
    composer(page).press("Control+Enter")
    expect(page.locator("#replies > .reply")).to_contain_text("Half a question")


@pytest.mark.parametrize("other_name", ["bao", "greta"])
def test_draft_is_not_shown_to_another_person(small_desk: Desk, other_name: str) -> None:
    page = opened(small_desk, "casey")
    composer(page).fill("My card number")
    other = page.context.new_page()
    sign_out(other)
    sign_in(other, other_name)
    expect(page.locator(".menu-user").filter(has_text="casey@example.com")).to_have_count(0, timeout=SOON)
    assert "My card number" not in page.content()
    assert page.locator("textarea").evaluate_all("all => all.map(({ value }) => value).join('')") == ""
    assert page.evaluate(STORED) == 0
    page.goto(small_desk.ticket)
    assert "My card number" not in page.content()


def test_draft_is_not_sent_as_another_person(small_desk: Desk) -> None:
    page = opened(small_desk, "casey")
    composer(page).fill("My card number")
    # The page is not given a chance to notice: no tab, no storage, no socket has said anything.
    session = {"name": "sessionid", "value": small_desk.cast["sessions"]["bao"], "url": small_desk.servers[0].url}
    page.context.add_cookies([session])
    page.evaluate("document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach((field) => { field.value = 'x' })")
    with page.expect_event("load", timeout=SOON):
        composer(page).press("Control+Enter")
    is_live(page)
    expect(composer(page)).to_have_value("")
    expect(page.locator("#replies > .reply")).to_have_count(0)


def test_other_tabs_stay_live_when_the_password_is_changed(small_desk: Desk) -> None:
    page = opened(small_desk, "casey")
    tabs = [page.context.new_page() for _ in range(3)]
    for tab in tabs:
        tab.goto(small_desk.ticket)
        is_live(tab)
    page.goto("/profile/password/")
    page.locator("[name=oldpassword]").fill(PASSWORD)
    page.locator("[name=password1]").fill("another horse battery")
    page.locator("[name=password2]").fill("another horse battery")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".notices")).to_be_visible()
    send(opened(small_desk, "bao"), "Still with us?")
    for tab in tabs:
        expect(tab.locator("#replies > .reply")).to_contain_text("Still with us?", timeout=SOON)
        expect(tab.locator("state-chip")).to_have_attribute("data-connected", "true", timeout=SOON)
