"""The pages by keyboard only, and without scripts."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live, sign_in
from tests.browser.support.actions import status
from tests.browser.support.attachments import PICTURE, TEXT

MAX_KEYS = 80  # key presses until a test fails
TICKET = re.compile(r"/tickets/[0-9a-f-]{36}/(\?list=.*)?$")


def reach(page: Page, selector: str, key: str = "Tab") -> None:
    """Press a key until what is meant has the focus."""
    for _ in range(MAX_KEYS):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} is not reached by {key} on {page.url}")


def press(page: Page, selector: str, key: str = "Enter") -> None:
    """Go to something and press a key there."""
    reach(page, selector)
    page.keyboard.press(key)


def write(page: Page, selector: str, text: str) -> None:
    """Go to a field and type; in a list of choices this finds the one that begins so."""
    reach(page, selector)
    page.keyboard.type(text)


def test_agent_works_by_keyboard_alone(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page("/tickets/")
    is_live(page)
    press(page, ".skip-link")
    expect(page.locator("main")).to_be_focused()
    press(page, ".row-check", "Space")
    write(page, "#bulk select[name=priority]", "Urg")
    press(page, "#bulk .bulk-fields .btn-primary")
    expect(page.locator(".ticket-row")).to_contain_text("Urgent")
    reach(page, ".row-link", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(TICKET)
    is_live(page)
    press(page, "ticket-composer input[name=internal]", "ArrowRight")
    write(page, "ticket-composer textarea", "They called before")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#replies > .reply")).to_have_attribute("data-internal", "true")
    reach(page, "form[data-autosubmit] select[name=status]")
    page.keyboard.type("Cl")
    status(page, "Closed")


def go_by_palette(page: Page, typed: str, *, to: str) -> None:
    """Type into the command palette, close it with one key, and open the ticket that it offers first."""
    page.keyboard.press("Control+K")
    page.keyboard.type(typed)
    page.keyboard.press("Escape")
    expect(page.locator("command-palette dialog")).to_be_hidden()
    page.keyboard.press("Control+K")
    page.keyboard.type(typed)
    expect(page.locator("#palette-options > li").first).to_contain_text(to)
    page.keyboard.press("Enter")
    expect(page).to_have_url(TICKET)


def return_to_the_list_after_sending(page: Page) -> None:
    """Choose so in the profile, which the page shows."""
    page.locator("[name=after_sending]").select_option("list")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notices")).to_contain_text("Changes saved.")


def test_agent_answers_by_shortcuts_and_goes_on(small_desk: Desk) -> None:
    page = small_desk.enter("bao").page("/profile/")
    return_to_the_list_after_sending(page)
    page.goto("/")
    is_live(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    for key in ("g", "n"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"/tickets/\?status=waiting$"))
    is_live(page)
    for key in ("j", "l"):
        page.keyboard.press(key)
    page.keyboard.type("jam")  # j is text here
    page.keyboard.press("Enter")
    expect(page.locator(".list-notices")).to_contain_text("1 ticket updated.")
    expect(page.locator(".ticket-row")).to_contain_text("jam")
    for key in ("j", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(TICKET)
    is_live(page)
    page.keyboard.press("i")
    expect(page.locator("ticket-facts")).to_contain_text("Bao Nguyen")
    page.keyboard.press("l")
    page.keyboard.type("leaflet")  # l is text here
    page.keyboard.press("Enter")
    expect(page.locator(".ticket-tags")).to_contain_text("leaflet")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.type("just refunded")  # j and r are text here
    page.keyboard.press("Control+Shift+Enter")
    expect(page).to_have_url(re.compile(r"/tickets/\?status=waiting$"))
    expect(page.locator(".notices")).to_contain_text("was sent.")
    expect(page.locator(".ticket-row")).to_have_count(0)
    is_live(page)
    go_by_palette(page, "charged", to="Charged twice")
    status(page, "Closed")
    expect(page.locator("#replies > .reply")).to_contain_text("just refunded")


def test_customer_opens_a_ticket_by_keyboard_alone(small_desk: Desk) -> None:
    page = small_desk.enter("casey").page("/")
    page.on("filechooser", lambda _: None)  # from here on they are reported, and not shown
    press(page, "main a[href='/tickets/new/']")
    expect(page).to_have_url(re.compile(r"/tickets/new/$"))
    reach(page, "[name=office]")
    expect(page.locator("[name=office]:checked")).to_have_count(0)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Orders")).to_be_checked()
    write(page, "[name=subject]", "The cup is broken")
    write(page, "[name=content]", "In two pieces")
    reach(page, "#id_uploads")
    with page.expect_file_chooser() as choosing:
        page.keyboard.press("Enter")
    choosing.value.set_files([PICTURE, TEXT])
    expect(page.locator(".file-item[data-state=done]")).to_have_count(2)
    press(page, ".file-item-remove")
    expect(page.locator(".file-item")).to_have_count(1)
    press(page, "main form button[type=submit]:not(.file-item-remove)")
    expect(page).to_have_url(TICKET)
    expect(page.locator("ticket-facts")).to_contain_text("Orders")
    expect(page.locator(".attachment-name")).to_have_text(["log.txt"])


def test_profile_and_sign_out_are_reachable_by_keyboard(small_desk: Desk) -> None:
    page = small_desk.enter("casey").page("/")
    press(page, "details.menu summary")
    press(page, ".menu-item")
    expect(page).to_have_url(re.compile(r"/profile/$"))
    reach(page, "[name=name]")
    page.keyboard.press("Control+A")
    page.keyboard.type("Casey R.")
    page.keyboard.press("Enter")
    expect(page.locator(".notices")).to_contain_text("Changes saved.")
    press(page, "details.menu summary")
    press(page, "button.menu-item")
    expect(page).to_have_url(re.compile(r"/login/$"))


def test_customer_opens_searches_and_signs_out_without_scripts(small_desk: Desk) -> None:
    page = small_desk.visitor(java_script_enabled=False).page("/login/")
    sign_in(page, "casey")
    page.get_by_role("link", name="New ticket").last.click()
    page.get_by_role("radio", name="Orders").check()
    page.locator("[name=subject]").fill("The cup is broken")
    page.locator("[name=content]").fill("In two pieces")
    page.locator("#id_uploads").set_input_files([PICTURE])
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(TICKET)
    expect(page.locator(".attachment-name")).to_have_text("receipt.png")
    page.goto("/tickets/")
    page.locator("[name=q]").fill("pieces")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".row-link")).to_have_text(["The cup is broken"])
    page.locator("details.menu summary").click()
    page.locator("button.menu-item").click()
    expect(page).to_have_url(re.compile(r"/login/$"))


def test_agent_filters_assigns_and_notes_without_scripts(small_desk: Desk) -> None:
    page = small_desk.enter("bao", java_script_enabled=False).page("/tickets/?assignee=none")
    page.locator("#filter-more > summary").click()
    page.locator("#filter-priority-menu > summary").click()
    page.get_by_label("Medium").check()
    page.get_by_label("Urgent").check()
    page.locator("[data-filters] [type=submit]").click()
    expect(page).to_have_url(re.compile(r"priority=\d+&priority=\d+"))
    expect(page.locator(".chip")).to_have_count(3)
    page.locator(".row-link").click()
    page.locator("ticket-composer input[name=internal][value=on]").check(force=True)
    page.locator("ticket-composer textarea").fill("They called before")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#replies > .reply")).to_have_attribute("data-internal", "true")
    hands = page.locator("form[data-autosubmit]").filter(has=page.locator("[name=assigned_to]"))
    hands.locator("select").select_option(label="Bao Nguyen")
    hands.get_by_role("button", name="Save").click()
    expect(page.locator("ticket-facts")).to_contain_text("Bao Nguyen")
