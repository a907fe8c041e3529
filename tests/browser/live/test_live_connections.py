"""The admin's live connections page in a real browser: it refreshes in place, and disconnects."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live, sign_in
from tests.browser.support.accessibility import inspect
from tests.support.servers import instances

PAGE = "/admin/realtime/connection/"
LISTED_MS = 20_000  # servers list their connections within seconds of being asked


def row(page: Page, name: str) -> object:
    return page.locator("#live-people tbody tr").filter(has_text=name)


def test_live_connections_refresh_and_sign_out_a_user(small_desk: Desk) -> None:
    ada, bao, casey = small_desk.enter("ada"), small_desk.visitor(), small_desk.enter("casey")
    theirs, page = bao.page("/login/"), ada.page(PAGE)
    sign_in(theirs, "bao")
    theirs.goto(small_desk.ticket)
    is_live(theirs)
    button = row(page, "Bao Nguyen").get_by_role("button", name="Disconnect")
    button.focus(timeout=LISTED_MS)
    row(page, "Bao Nguyen").locator("summary").click()
    button.focus()
    is_live(casey.page(small_desk.ticket))
    expect(row(page, "Casey Rivers")).to_be_visible(timeout=LISTED_MS)
    expect(button).to_be_focused()
    expect(row(page, "Bao Nguyen").locator("li").first).to_be_visible()
    expect(page.locator("#live-channels tbody")).to_contain_text(small_desk.cast["ticket"])
    assert ada.problems == []
    row(page, "Bao Nguyen").get_by_role("link", name="Sign out everywhere").click()
    page.get_by_role("button", name="Sign out and disconnect").click()
    expect(page.locator(".messagelist .success")).to_have_text(
        "Bao Nguyen was signed out everywhere and disconnected."
    )
    expect(theirs.locator("state-chip")).not_to_have_attribute("data-connected", "true", timeout=LISTED_MS)
    theirs.goto("/tickets/")
    expect(theirs).to_have_url(re.compile("/login/"))


def test_live_connections_work_without_scripts(small_desk: Desk) -> None:
    ada, casey = small_desk.enter("ada", java_script_enabled=False), small_desk.enter("casey")
    is_live(casey.page(small_desk.ticket))
    page = ada.page(PAGE)
    expect(page.locator(".live-refresh")).to_be_hidden()

    def disconnect() -> bool:
        """A row may be of a connection that ended since the last report."""
        page.reload()
        buttons = row(page, "Casey Rivers").get_by_role("button", name="Disconnect")
        if not buttons.count():
            return False
        buttons.first.click()
        said = page.locator(".messagelist li").inner_text()
        return said == "A connection of Casey Rivers was closed."

    instances.wait_until(disconnect, timeout=LISTED_MS / 1000, message="No connection of Casey was closed.")


def test_live_connections_have_no_serious_barrier(small_desk: Desk) -> None:
    ada = small_desk.enter("ada")
    is_live(ada.page("/"))
    page = ada.page(PAGE)
    row(page, "Ada Admin").first.wait_for(timeout=LISTED_MS)
    found = inspect(page)
    row(page, "Ada Admin").first.get_by_role("link", name="Sign out everywhere").click()
    assert found + inspect(page) == []
