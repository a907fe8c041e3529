"""The ticket list and the dashboard in real browsers: live rows, counts, bulk changes, shortcuts."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Desk, Person, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import ask, ask_unseen, choose, make_internal, send


def subjects(page: Page) -> list[str]:
    return page.locator("#ticket-rows .row-link").all_inner_texts()


def row(page: Page, subject: str):
    return page.locator("#ticket-rows > *").filter(has_text=subject)


def select(page: Page, *names: str) -> None:
    for name in names:
        row(page, name).locator(".row-check").check()


# Elements and attributes that scripts use.
STRUCTURE = """row => [...row.querySelectorAll("*")].map(element =>
    [element.localName, ...["class", "role", "data-set", "data-text", "data-if", "data-unless", "form", "name"]
    .map(name => element.getAttribute(name))].join())"""


def number(page: Page, key: str):
    return page.locator(f"[data-count='{key}']").first


def opened(desk: Desk, name: str, *paths: str) -> tuple[Person, list[Page]]:
    """Sign a user in and open connected pages."""
    person = desk.enter(name)
    pages = [person.page(path) for path in paths]
    for page in pages:
        is_live(page)
    return person, pages


@pytest.fixture
def three(small_desk: Desk) -> Desk:
    """Casey's desk with three tickets, the latest first: Third, Second, Charged twice."""
    casey = small_desk.enter("casey")
    for subject in ("Second", "Third"):
        ask_unseen(casey, subject)
    return small_desk


def test_list_does_not_move_while_rows_are_selected(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/")
    casey = three.enter("casey")
    select(listing, "Second")
    # Neither hand nor focus is on the rows: the selection alone holds them.
    listing.mouse.move(0, 0)
    listing.locator("#bulk select").first.focus()
    expect(listing.locator("[data-selected]")).to_have_text("1 selected")
    ask(casey, "Fourth", "Hello")
    pending = listing.locator("#pending-updates")
    expect(pending).to_have_text("Show updates (1)")
    ask(casey, "Fifth", "Hello")
    expect(pending).to_have_text("Show updates (2)")
    assert subjects(listing) == ["Third", "Second", "Charged twice"]
    pending.click()
    expect(row(listing, "Fifth")).to_be_visible()
    assert subjects(listing) == ["Fifth", "Fourth", "Third", "Second", "Charged twice"]
    expect(row(listing, "Second").locator(".row-check")).to_be_checked()
    expect(pending).to_be_hidden()
    # The server sends less of a row, which the script completes.
    assert row(listing, "Second").evaluate(STRUCTURE) == row(listing, "Fifth").evaluate(STRUCTURE)


def test_counts_follow_changes_of_another_agent(three: Desk) -> None:
    _, (listing, home) = opened(three, "bao", "/tickets/", "/")
    _, (work,) = opened(three, "dana", three.ticket)
    for page in (listing, home):
        expect(number(page, "mine")).to_have_text("0")
        expect(number(page, "unassigned")).to_have_text("3")
    choose(work, "assigned_to", "Bao Nguyen")
    for page in (listing, home):
        page.bring_to_front()
        expect(number(page, "mine")).to_have_text("1")
        expect(number(page, "unassigned")).to_have_text("2")
    expect(row(home, "Charged twice")).to_be_visible()
    expect(home.locator("activity-list li").first).to_contain_text("Dana Okafor assigned the ticket to Bao Nguyen")
    choose(work, "status", "Closed")
    expect(number(home, "mine")).to_have_text("0")
    expect(row(home, "Charged twice")).to_have_count(0)


def test_bulk_change_reports_a_ticket_without_access(three: Desk) -> None:
    bao = three.enter("bao")
    bao.context.route_web_socket(re.compile("/app/"), lambda socket: socket.close())
    bao.context.route("**/broadcasting/history?*", lambda route: route.abort())
    listing = bao.page("/tickets/")
    _, (work,) = opened(three, "ada", three.ticket)
    choose(work, "office", "Orders")
    expect(work.locator("ticket-facts")).to_contain_text("Orders")
    reference = row(listing, "Charged twice").locator(".reference").inner_text()
    select(listing, "Second", "Third", "Charged twice")
    listing.locator("#bulk select[name=status]").select_option(label="On Hold")
    listing.locator("#bulk .bulk-fields .btn-primary").click()
    expect(listing.locator("[data-notices]")).to_contain_text("2 tickets updated.")
    expect(listing.locator("[data-notices]")).to_contain_text(f"{reference}: Not found")
    expect(listing.locator("[data-selected]")).to_have_text("1 selected")
    listing.reload()
    assert {subject: row(listing, subject).locator(".pill").inner_text() for subject in subjects(listing)} == {
        "Third": "On Hold",
        "Second": "On Hold",
    }
    assert bao.problems == []


def test_bulk_change_is_undone_where_nothing_has_changed_since(three: Desk) -> None:
    bao, (listing,) = opened(three, "bao", "/tickets/")
    select(listing, "Second", "Charged twice")
    listing.locator("#bulk select[name=status]").select_option(label="On Hold")
    listing.get_by_role("button", name="Apply to the selected tickets").click()
    notices = listing.locator("[data-notices]")
    expect(notices).to_contain_text("2 tickets updated.")
    expect(row(listing, "Second")).to_contain_text("On Hold")
    _, (work,) = opened(three, "dana", three.ticket)
    choose(work, "priority", "Urgent")
    expect(row(listing, "Charged twice").locator("[data-text='ticket.priority']")).to_have_text("Urgent")
    notices.get_by_role("button", name="Undo").press("Enter")
    expect(notices).to_contain_text("1 ticket restored.")
    reference = row(listing, "Charged twice").locator(".reference").inner_text()
    expect(notices).to_contain_text(f"{reference}: It has been changed since.")
    expect(row(listing, "Second").locator(".pill")).to_have_text("Open")
    expect(row(listing, "Charged twice").locator(".pill")).to_have_text("On Hold")
    expect(notices.get_by_role("button", name="Undo")).to_have_count(0)
    expect(listing.locator("h1")).to_be_focused()
    assert bao.problems == []


def test_selected_ticket_without_access_is_reported(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/")
    _, (work,) = opened(three, "ada", three.ticket)
    reference = row(listing, "Charged twice").locator(".reference").inner_text()
    select(listing, "Charged twice")
    choose(work, "office", "Orders")
    expect(row(listing, "Charged twice")).to_have_count(0)
    expect(listing.locator("[data-notices]")).to_contain_text(f"You no longer have access to {reference}")
    expect(listing.locator("#bulk")).to_be_hidden()


def test_list_in_another_order_offers_updates(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/?sort=created")
    casey = three.enter("casey")
    _, (work,) = opened(three, "dana", three.ticket)
    choose(work, "status", "On Hold")
    expect(row(listing, "Charged twice")).to_contain_text("On Hold")
    ask(casey, "Fourth", "Hello")
    pending = listing.locator("#pending-updates")
    expect(pending).to_have_text("Show updates (1)")
    assert subjects(listing) == ["Charged twice", "Second", "Third"]
    pending.click()
    expect(row(listing, "Fourth")).to_be_visible()
    assert listing.url.endswith("?sort=created")
    assert subjects(listing)[-1] == "Fourth"


def test_filters_apply_to_live_tickets(three: Desk) -> None:
    bao, (listing,) = opened(three, "bao", "/tickets/")
    casey = three.enter("casey")
    listing.evaluate("document.isSamePage = true")
    listing.locator("#filter-more > summary").click()
    listing.locator("#filter-assignee-menu > summary").click()
    none, dana = (listing.get_by_label(name) for name in ("No one", "Dana Okafor"))
    dana.press("Space")
    expect(listing).to_have_url(re.compile(r"/tickets/\?assignee=[0-9a-f-]{36}$"))
    expect(listing.locator("#no-tickets")).to_be_visible()
    none.press("Space")
    expect(row(listing, "Charged twice")).to_be_visible()
    expect(none).to_be_focused()
    expect(listing.locator(".chip")).to_have_count(2)
    dana.press("Space")
    expect(listing).to_have_url(re.compile(r"/tickets/\?assignee=none$"))
    expect(listing.locator(".chip")).to_have_count(1)
    work = bao.page(three.ticket)
    is_live(work)
    choose(work, "assigned_to", "Dana Okafor")
    expect(row(listing, "Charged twice")).to_have_count(0)
    ask(casey, "Fourth", "Hello")
    expect(row(listing, "Fourth")).to_be_visible()
    listing.locator(".chip").click()
    expect(listing).to_have_url(re.compile(r"/tickets/$"))
    expect(row(listing, "Charged twice")).to_be_visible()
    listing.go_back()
    expect(listing).to_have_url(re.compile(r"/tickets/\?assignee=none$"))
    expect(row(listing, "Charged twice")).to_have_count(0)
    expect(listing.get_by_label("No one")).to_be_checked()
    select(listing, "Fourth")
    expect(listing.locator("[data-selected]")).to_have_text("1 selected")
    assert listing.evaluate("document.isSamePage")


def test_event_that_comes_before_the_rendered_page_is_not_lost(three: Desk) -> None:
    bao, (listing,) = opened(three, "bao", "/tickets/?assignee=none")
    work = bao.page(three.ticket)
    is_live(work)
    choose(work, "assigned_to", "Dana Okafor")
    expect(row(listing, "Charged twice")).to_have_count(0)

    def load(route: Route) -> None:
        page = route.fetch()
        choose(work, "assigned_to", "No one")
        expect(row(listing, "Charged twice")).to_be_visible()
        route.fulfill(response=page)

    listing.route("**/tickets/", load, times=1)
    listing.locator(".chip").click()
    expect(row(listing, "Charged twice").locator(".unassigned")).to_be_visible()
    expect(listing).to_have_url(re.compile(r"/tickets/$"))


def test_saved_view_is_made_renamed_and_ordered_live(three: Desk) -> None:
    bao, (other,) = opened(three, "bao", "/tickets/")
    listing = bao.page("/tickets/?assignee=none")
    listing.get_by_role("link", name="Save as view").click()
    listing.locator("[name=name]").fill("Free")
    listing.get_by_role("button", name="Save").click()
    expect(listing.locator("h1")).to_have_text("Free")
    view = other.locator("nav [data-saved-view]")
    expect(view).to_have_text(re.compile(r"Free\s*3"))
    view.first.click()
    expect(other.locator("h1")).to_have_text("Free")
    expect(view).to_have_attribute("aria-current", "page")
    is_live(listing)
    listing.locator("#filter-more > summary").click()
    listing.locator("#filter-priority-menu > summary").click()
    listing.get_by_label("Urgent").check()
    listing.get_by_role("button", name="Update view").click()
    expect(listing.locator(".notices")).to_contain_text("was updated")
    expect(view).to_have_text(re.compile(r"Free\s*0"))
    for name in ("Second", "Third"):
        listing.goto("/settings/views/new/")
        listing.locator("[name=name]").fill(name)
        listing.get_by_role("button", name="Save").click()
        expect(view.filter(has_text=name)).to_be_visible()
    listing.goto("/settings/views/")
    is_live(listing)
    up = listing.get_by_role("button", name="Move Third up")
    for _ in range(2):
        up.press("Enter")
    expect(view.locator(".view-name")).to_have_text(["Third", "Free", "Second"])
    expect(up).to_be_focused()
    listing.get_by_role("link", name="Free").click()
    listing.locator("[name=name]").fill("Unassigned and urgent")
    listing.get_by_role("button", name="Save").click()
    expect(other.locator("h1")).to_have_text("Unassigned and urgent")
    expect(view.locator(".view-name")).to_have_text(["Third", "Unassigned and urgent", "Second"])


def test_shortcuts_select_and_change_rows(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/")
    search = listing.locator("[data-filters] [name=q]")
    asked = []
    listing.on("request", lambda request: asked.append(request.url))
    search.focus()
    listing.keyboard.type("jkx/")
    expect(search).to_have_value("jkx/")
    for key in ("Escape", "j", "j", "x"):
        listing.keyboard.press(key)
    expect(row(listing, "Second").locator(".row-check")).to_be_checked()
    listing.keyboard.press("Shift+K")
    expect(row(listing, "Third").locator(".row-link")).to_be_focused()
    expect(listing.locator("[data-selected]")).to_have_text("2 selected")
    assert not [url for url in asked if re.search(r"/tickets/(\?|$)", url)]  # the text was not searched for
    answers = []
    listing.route("**/tickets/bulk/", lambda route: answers.append((route, route.fetch())))
    listing.keyboard.press("i")
    expect(row(listing, "Second").locator(".cell-assignee")).to_contain_text("Bao Nguyen")
    expect(row(listing, "Third").locator(".cell-assignee")).to_contain_text("Bao Nguyen")
    listing.keyboard.press("/")
    expect(search).to_be_focused()
    ((route, answer),) = answers
    route.fulfill(response=answer)
    expect(listing.locator("[data-notices]")).to_contain_text("2 tickets")
    expect(search).to_be_focused()


def test_range_of_rows_is_selected_and_deselected(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/")
    row(listing, "Third").locator(".row-check").click()
    row(listing, "Charged twice").locator(".row-check").click(modifiers=["Shift"])
    expect(listing.locator("[data-selected]")).to_have_text("3 selected")
    expect(listing.locator("[data-select-all]")).to_be_checked()
    listing.locator("#bulk button[type=reset]").click()
    expect(listing.locator(".row-check:checked")).to_have_count(0)
    expect(listing.locator("#bulk")).to_be_hidden()


def test_bulk_change_works_without_scripts(three: Desk) -> None:
    page = three.enter("bao", java_script_enabled=False).page("/tickets/?q=second")
    select(page, "Second")
    page.locator("#bulk select[name=priority]").select_option(label="Urgent")
    page.locator("#bulk .bulk-fields .btn-primary").click()
    expect(page).to_have_url(re.compile(r"/tickets/\?q=second$"))
    expect(page.locator(".notices")).to_contain_text("1 ticket updated.")
    expect(row(page, "Second")).to_contain_text("Urgent")


def test_lists_and_dashboards_have_no_serious_barrier(three: Desk) -> None:
    found = []
    for name in ("casey", "bao", "ada"):
        person = three.enter(name)
        for path in ("/", "/tickets/?q=x&created_from=2020-01-01&updated_to=nonsense", "/tickets/"):
            page = person.page(path)
            is_live(page)
            if name != "casey" and path == "/tickets/":
                select(page, "Second")
            found += [f"{name} {path}: {problem}" for problem in inspect(page)]
    assert found == []


def test_list_does_not_move_under_a_resting_pointer(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/")
    casey = three.enter("casey")
    target = row(listing, "Second")
    target.hover()
    # Longer than anyone waits: a pointer at rest is still where the next click goes.
    listing.evaluate("performance.now = ((real) => () => real.call(performance) + 3_600_000)(performance.now)")
    before = target.bounding_box()
    ask_unseen(casey, "Fourth")
    pending = listing.locator("#pending-updates")
    expect(pending).to_have_text("Show updates (1)")
    assert target.bounding_box() == before
    listing.mouse.move(0, 0)
    expect(row(listing, "Fourth")).to_be_visible()
    expect(pending).to_be_hidden()


def test_withdrawn_row_leaves_its_place_under_the_pointer(three: Desk) -> None:
    _, (listing,) = opened(three, "bao", "/tickets/")
    _, (work,) = opened(three, "ada", three.ticket)
    choose(work, "status", "On Hold")
    expect(row(listing, "Charged twice")).to_contain_text("On Hold")
    listing.reload()
    is_live(listing)
    assert subjects(listing)[0] == "Charged twice"
    target = row(listing, "Second")
    target.hover()
    before = target.bounding_box()
    choose(work, "office", "Orders")
    expect(row(listing, "Charged twice")).to_have_count(0)
    assert target.bounding_box() == before
    listing.mouse.move(0, 0)
    expect(listing.locator(".row-gap")).to_have_count(0)


def test_open_search_announces_what_it_finds_and_loses_a_hidden_passage(three: Desk) -> None:
    work = three.enter("bao").page(three.ticket)
    is_live(work)
    send(work, "The walrus is on its way")
    casey, (listing,) = opened(three, "casey", "/tickets/?q=walrus")
    expect(listing.locator(".snippet mark")).to_have_text("walrus")
    ask(casey, "An elephant", "Hello")
    ask(casey, "Another walrus", "Hello")
    expect(listing.locator("#pending-updates")).to_have_text("Show updates (1)")
    listing.locator("#pending-updates").click()
    expect(row(listing, "Another walrus")).to_be_visible()
    expect(row(listing, "An elephant")).to_have_count(0)
    make_internal(work, "The walrus is on its way")
    expect(listing.locator(".snippet")).to_have_count(0)
    expect(row(listing, "Charged twice")).to_be_visible()
