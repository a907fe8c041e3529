"""Every page and state, light and dark, wide and narrow: axe finds nothing serious, and nothing scrolls sideways."""

import pytest
from playwright.sync_api import Page, expect

from tests import instances
from tests.browser.conftest import Desk, is_live
from tests.browser.test_files import PICTURE, PROGRAM, at_a_ticket, named, pick
from tests.browser.test_two_people import send
from tests.cast import PASSWORD

AXE = (instances.TOP / "node_modules/axe-core/axe.min.js").read_text()
SERIOUS = ("serious", "critical")

# Lists and dashboards with their states are looked at in test_list.py.
PAGES = {
    None: ["/login/", "/register/", "/password/reset/"],
    "casey": ["/tickets/?q=nothing-like-it", "/tickets/new/", "/profile/"],
    "bao": ["/tickets/new/", "/profile/email/", "/profile/password/", "/profile/two-step/", "/profile/sign-ins/"],
    "ada": [
        "/admin/", "/admin/tickets/ticket/", "/admin/tickets/ticket/1/change/",
        "/admin/tickets/ticket/1/delete/", "/admin/tickets/ticket/1/history/", "/admin/accounts/user/",
        "/admin/accounts/office/1/change/", "/admin/accounts/desksettings/", "/admin/realtime/broadcast/",
    ],
}  # fmt: skip
CASES = [pytest.param(name, scheme, id=f"{name}-{scheme}") for name in PAGES for scheme in ("light", "dark")]


def inspect(page: Page) -> list[str]:
    """Return what axe finds serious at 1440 and at 320 pixels, and whether the page is wider than the screen."""
    found = []
    for width in (1440, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(AXE)
        result = page.evaluate("async () => (await axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html])")
        found += [f"{page.url} {width}px {rule} {html}" for impact, rule, html in result if impact in SERIOUS]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{page.url} {width}px: scrolls sideways")
    return found


@pytest.mark.parametrize(("name", "scheme"), CASES)
def test_no_page_has_a_serious_barrier_or_scrolls_sideways(shared_desk: Desk, name: str | None, scheme: str) -> None:
    options = {"color_scheme": scheme}
    person = shared_desk.again(name, **options) if name else shared_desk.visitor(**options)
    page = person.page("/login/")
    found = []
    for path in PAGES[name]:
        page.goto(path)
        found += inspect(page)
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_of_a_ticket_has_a_serious_barrier(shared_desk: Desk, scheme: str) -> None:
    bao, dana = at_a_ticket(shared_desk, "bao", "dana", color_scheme=scheme)
    send(bao, "A note", note=True)
    pick(bao, PICTURE)
    named(bao)
    send(bao, "With a picture")
    pick(bao, PICTURE, PROGRAM)
    expect(bao.locator(".kept-problem").last).to_contain_text("not accepted")
    status = bao.locator("form[data-autosubmit] select[name=status]")
    status.focus()
    dana.locator("form[data-autosubmit] select[name=status]").select_option(label="On Hold")
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")
    status.select_option(label="Closed")
    expect(bao.locator("form[data-conflicted]")).to_contain_text("meanwhile")
    assert inspect(bao) + inspect(dana) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_step_of_protecting_an_account_has_a_serious_barrier(shared_desk: Desk, scheme: str) -> None:
    page = shared_desk.enter("emil", color_scheme=scheme).page("/profile/tokens/")
    found = inspect(page)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.locator("[name=name]").fill("Import")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#secret")).not_to_be_empty()
    found += inspect(page)
    page.goto("/profile/two-step/totp/activate/")
    found += inspect(page)
    is_live(page)
    assert found == []
