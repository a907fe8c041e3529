"""A long conversation: the page shows its end, earlier replies on demand, and live changes wherever they are."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Desk, is_live

CONVERSE = """
from accounts.models import User
from tickets.models import Reply, Ticket
from tickets import reading, services
ticket, bao = Ticket.objects.get(), User.objects.get(email="bao@example.com")
for number in range({count}):
    last = services.add_reply(ticket, by=bao, message=f"Reply {{number}}." + " more" * (number % 7) * 20)
if {is_read}:
    reading.mark_read(ticket, by=ticket.creator, up_to=last)
print([str(pk) for pk in Reply.objects.order_by("number").values_list("pk", flat=True)])
"""
HIDE = """
from accounts.models import User
from tickets.models import Reply
from tickets import services
reply = Reply.objects.get(pk="{reply}")
services.change_visibility(reply, by=User.objects.get(email="bao@example.com"), internal=True)
"""


def converse(desk: Desk, count: int, *, is_read: bool = True) -> list[str]:
    """Add replies of Bao, which Casey has read or not; return the ids of all replies."""
    script = CONVERSE.format(count=count, is_read=is_read)
    printed = desk.manage("shell", "-v", "0", "-c", script).splitlines()[-1]
    return json.loads(printed.replace("'", '"'))


def top(page: Page, reply: str) -> float:
    return page.locator(f"#reply-{reply}").evaluate("each => each.getBoundingClientRect().top")


def test_page_begins_above_the_first_unread_reply(small_desk: Desk) -> None:
    ids = converse(small_desk, 30)
    ids = converse(small_desk, 90, is_read=False)
    page = small_desk.enter("casey").page(small_desk.ticket)
    is_live(page)
    expect(page.locator("#replies > .reply")).to_have_count(50)
    expect(page.locator(f"#replies > .new-line + #reply-{ids[30]}")).to_be_in_viewport()
    expect(page.locator("#replies > .reply").last).to_have_attribute("id", f"reply-{ids[69]}")


@pytest.mark.parametrize("name", ["casey", "bao"])
def test_earlier_replies_appear_above_what_is_read(small_desk: Desk, name: str) -> None:
    ids = converse(small_desk, 120)
    page = small_desk.enter(name).page(small_desk.ticket)
    is_live(page)
    shown, button = page.locator("#replies > .reply"), page.locator("#earlier-replies")
    expect(shown).to_have_count(50)
    for first, count in ((ids[70], 100), (ids[20], 120)):
        button.scroll_into_view_if_needed()
        before = top(page, first)
        button.click()
        expect(shown).to_have_count(count)
        assert abs(top(page, first) - before) <= 1
    expect(button).to_be_hidden()
    expect(page.locator(f"#reply-{ids[0]}")).to_be_focused()
    assert shown.evaluate_all("all => all.map((each) => each.id.slice(6))") == ids
    expect(page.locator(f"#reply-{ids[119]} .prose")).to_contain_text("Reply 119.")
    ids = converse(small_desk, 1)
    expect(shown.last).to_have_attribute("id", f"reply-{ids[-1]}")


def test_reply_that_is_hidden_while_it_loads_is_not_shown(small_desk: Desk) -> None:
    ids = converse(small_desk, 60)
    page = small_desk.enter("casey").page(small_desk.ticket)
    is_live(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/earlier/**", hold)
    with page.expect_request("**/earlier/**"):
        page.locator("#earlier-replies").click()
    expect(page.locator("reply-list")).to_have_attribute("aria-busy", "true")
    answer = held[0].fetch()
    assert ids[4] in answer.text()
    small_desk.manage("shell", "-v", "0", "-c", HIDE.format(reply=ids[4]))
    expect(page.locator("#timeline > li", has_text="deleted")).to_have_count(1)
    held[0].fulfill(response=answer)
    expect(page.locator("#replies > .reply")).to_have_count(59)
    expect(page.locator(f"#reply-{ids[4]}")).to_have_count(0)


def test_earlier_reply_that_becomes_internal_is_not_moved_to_the_end(small_desk: Desk) -> None:
    ids = converse(small_desk, 60)
    page = small_desk.enter("ada").page(small_desk.ticket)
    is_live(page)
    small_desk.manage("shell", "-v", "0", "-c", HIDE.format(reply=ids[4]))
    expect(page.locator("#timeline > li", has_text="hid")).to_have_count(1)
    expect(page.locator("#replies > .reply").last).to_have_attribute("id", f"reply-{ids[59]}")
    page.locator("#earlier-replies").click()
    expect(page.locator(f"#reply-{ids[4]}")).to_have_attribute("data-internal", "true")


def test_link_to_an_early_reply_opens_its_page_and_leads_to_the_end(small_desk: Desk) -> None:
    ids = converse(small_desk, 120)
    page = small_desk.enter("casey").page(f"{small_desk.ticket}#reply-{ids[3]}")
    expect(page).to_have_url(re.compile(rf"\?reply={ids[3]}#reply-{ids[3]}$"))
    is_live(page)
    expect(page.locator(f"#reply-{ids[3]}")).to_be_in_viewport()
    expect(page.locator("#replies > .reply")).to_have_count(14)
    latest = converse(small_desk, 1, is_read=False)[-1]
    expect(page.locator("#new-reply")).to_be_visible(timeout=10_000)
    expect(page.locator("#replies > .reply")).to_have_count(14)
    page.locator("#new-reply").click()
    expect(page).to_have_url(re.compile(rf"{small_desk.ticket}\?latest$"))
    expect(page.locator("#replies > .reply").last).to_have_attribute("id", f"reply-{latest}")


def test_own_reply_from_an_early_page_is_shown_at_the_end(small_desk: Desk) -> None:
    ids = converse(small_desk, 70)
    page = small_desk.enter("casey").page(f"{small_desk.ticket}?reply={ids[3]}")
    is_live(page)
    page.locator("ticket-composer textarea").fill("from above")
    page.locator("ticket-composer textarea").press("Control+Enter")
    expect(page).to_have_url(re.compile(rf"{small_desk.ticket}\?latest#reply-"))
    expect(page.locator("#replies > .reply").last).to_contain_text("from above")
    expect(page.locator("ticket-composer textarea")).to_have_value("")


def test_earlier_and_later_replies_are_links_without_scripts(small_desk: Desk) -> None:
    ids = converse(small_desk, 70)
    page = small_desk.enter("casey", java_script_enabled=False).page(small_desk.ticket)
    page.get_by_text("Show earlier replies").click()
    expect(page.locator("#replies > .reply").first).to_have_attribute("id", f"reply-{ids[0]}")
    expect(page.locator("#replies > .reply")).to_have_count(20)
    page.get_by_text("Show later replies").click()
    expect(page.locator("#replies > .reply").first).to_have_attribute("id", f"reply-{ids[20]}")
    expect(page.get_by_text("Show later replies")).to_have_count(0)


def test_failure_to_load_earlier_replies_is_shown_and_can_be_repeated(small_desk: Desk) -> None:
    converse(small_desk, 60)
    page = small_desk.enter("casey").page(small_desk.ticket)
    is_live(page)
    page.route("**/earlier/**", lambda route: route.abort())
    page.locator("#earlier-replies").click()
    expect(page.get_by_role("alert").filter(has_text="couldn't be loaded")).to_be_visible()
    page.unroute("**/earlier/**")
    page.locator("#earlier-replies").click()
    expect(page.locator("#replies > .reply")).to_have_count(60)
