"""A page whose socket is refused shows the reason and polls the history."""

import json
import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from realtime.protocol import close_codes
from tests.browser.conftest import Desk
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import send
from tests.browser.support.attachments import at_a_ticket

TOO_MANY = close_codes.TOO_MANY_CONNECTIONS_OF_USER
REASONS = [
    (4003, "Disabled.", "Live updates turned off, checking every 5 s"),
    (4004, "Over quota.", "Live updates overloaded, checking every 5 s"),
    (TOO_MANY.code, TOO_MANY.message, "Too many open tabs for live updates, checking every 5 s"),
    (4009, "Foreign.", "Live updates unavailable, checking every 5 s"),
]


def refuse(page: Page, code: int, message: str) -> None:
    """Have every socket of this browser refused, as the server does it, and load the page anew."""

    def answer(socket: WebSocketRoute) -> None:
        socket.send(json.dumps({"event": "pusher:error", "data": json.dumps({"code": code, "message": message})}))
        socket.close(code=code)

    page.context.route_web_socket(re.compile("/app/"), answer)
    page.reload()


@pytest.mark.parametrize("name", ["casey", "bao"])
def test_refused_page_shows_the_reason_and_polls_the_history(small_desk: Desk, name: str) -> None:
    page, other = at_a_ticket(small_desk, name, "dana")
    refuse(page, 4001, "There is no app with this key.")
    chip = page.locator("state-chip")
    expect(chip).to_contain_text("Live updates unavailable, checking every 5 s")
    expect(chip).to_have_attribute("data-connected", "false")
    send(other, "By the history")
    expect(page.locator("#replies > .reply")).to_contain_text("By the history")
    expect(chip).to_have_attribute("data-state", "refused")
    assert inspect(page) == []


def test_refused_page_shows_each_reason(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    for code, message, says in REASONS:
        refuse(page, code, message)
        expect(page.locator("state-chip")).to_contain_text(says, use_inner_text=True)
