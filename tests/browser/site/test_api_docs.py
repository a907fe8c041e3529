"""The API documentation in a real browser: readable, and usable as the signed-in user."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.support.accessibility import inspect


def test_api_can_be_tried_out_on_its_page(small_desk: Desk) -> None:
    casey = small_desk.enter("casey")
    requests: list[str] = []
    page = casey.page("/login/")
    page.on("request", lambda request: requests.append(request.url))
    page.goto("/api/docs/")
    expect(page.locator(".opblock")).to_have_count(69)
    ticket = page.locator("#operations-Tickets-ticket_create")
    ticket.locator(".opblock-summary-control").click()
    ticket.get_by_role("button", name="Try it out").click()
    body = '{"subject": "From the page", "content": "Hello", "office": "Billing"}'
    ticket.locator("textarea").fill(body)
    ticket.get_by_role("button", name="Execute").click()
    expect(ticket.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("201")
    expect(ticket.locator(".live-responses-table")).to_contain_text("From the page")
    assert casey.problems == []
    assert [url for url in requests if not url.startswith((casey.wire.url, "data:"))] == []


# What Swagger UI nests is its own; colours are ours.
THEIRS = "nested-interactive"


def test_api_documentation_is_readable_in_both_themes_and_widths(small_desk: Desk) -> None:
    page = small_desk.visitor().page("/api/docs/")
    expect(page.locator(".opblock")).to_have_count(69)
    assert [line for line in inspect(page) if THEIRS not in line] == []
