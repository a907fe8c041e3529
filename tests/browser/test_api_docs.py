"""The API's document in a real browser: readable under the strict policy, and tried out as the person signed in."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.test_accessibility import inspect


def test_a_program_is_written_from_the_page_alone(small_desk: Desk) -> None:
    casey = small_desk.enter("casey")
    requests: list[str] = []
    page = casey.page("/login/")
    page.on("request", lambda request: requests.append(request.url))
    page.goto("/api/docs/")
    expect(page.locator(".opblock")).to_have_count(21)
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


def test_the_document_can_be_read_light_and_dark_wide_and_narrow(small_desk: Desk) -> None:
    page = small_desk.visitor().page("/api/docs/")
    expect(page.locator(".opblock")).to_have_count(21)
    assert [line for line in inspect(page) if THEIRS not in line] == []
