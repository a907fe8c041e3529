"""Django's admin in a real browser: it works under the content security policy, and its changes are live."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect

TICKET = "/admin/tickets/ticket/1/change/"


def choose(page: Page, name: str) -> None:
    """Find a person in the suggestions, by keyboard."""
    page.locator(".field-assigned_to .select2-selection").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".select2-container--open .select2-search__field")).to_be_focused()
    page.keyboard.type(name[:4])
    expect(page.locator(".select2-results__option--highlighted")).to_have_text(name)
    page.keyboard.press("Enter")


def test_reply_in_the_admin_reaches_the_customers_page_live(small_desk: Desk) -> None:
    casey, bao = small_desk.enter("casey"), small_desk.enter("bao")
    theirs, page = casey.page(small_desk.ticket), bao.page(TICKET)
    is_live(theirs)
    choose(page, "Dana Okafor")
    page.get_by_role("button", name="Add another Reply").click()
    page.locator("[name=replies-0-message]").fill("From the admin")
    page.locator("[name=replies-1-message]").fill("For us alone")
    page.locator("[name=replies-1-is_internal]").check()
    page.locator("[name=_continue]").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    expect(page.locator(".conversation .is-note")).to_contain_text("For us alone")
    expect(theirs.locator(".reply")).to_contain_text(["Two charges", "From the admin"])
    expect(theirs.locator("body")).not_to_contain_text("For us alone")
    assert bao.problems + casey.problems == []


def test_admin_works_under_the_content_security_policy(small_desk: Desk) -> None:
    ada = small_desk.enter("ada")
    page = ada.page("/admin/tickets/ticket/")
    page.locator("#action-toggle").check()
    page.locator("select[name=status]").select_option(label="Closed")
    page.locator("select[name=action]").select_option("change_selected")
    page.locator(".actions button[name=index]").click()
    expect(page.locator(".messagelist")).to_contain_text("1 ticket updated.")
    for address in ("accounts/user/add/", "accounts/office/1/change/", "tickets/status/1/change/", "tickets/reply/"):
        page.goto(f"/admin/{address}")
    page.locator(".theme-toggle").click()
    chosen = page.evaluate("document.documentElement.dataset.theme")
    page.goto("/tickets/")
    assert page.evaluate("document.documentElement.dataset.theme") == chosen != "auto"
    assert ada.problems == []


def test_agent_uses_their_part_of_the_admin(small_desk: Desk) -> None:
    page, found = small_desk.enter("bao").page("/admin/"), []
    for address in ("", "tickets/ticket/", "tickets/ticket/1/change/", "accounts/user/", "tickets/timelineentry/"):
        page.goto(f"/admin/{address}")
        found += inspect(page)
    assert found == []
