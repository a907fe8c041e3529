"""The state that a page shows of its live updates is true, also where the network gives no sign."""

import re
import socket

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.actions import send

# A busy machine may take longer; tests/js/live-updates.test.js has the seconds, by a clock of its own.
SOON = 30_000


def test_page_on_a_silent_network_is_not_live(small_desk: Desk) -> None:
    casey, bao = small_desk.enter("casey"), small_desk.enter("bao")
    page, work = casey.page(small_desk.ticket), bao.page(small_desk.ticket)
    is_live(page)
    is_live(work)
    chip = page.locator("state-chip")
    casey.wire.silence()
    expect(chip).to_have_attribute("data-connected", "false", timeout=SOON)
    expect(chip.get_by_text("Reconnecting…")).to_be_visible()
    send(work, "Meanwhile")
    casey.wire.mend()
    expect(chip).to_have_attribute("data-connected", "true", timeout=SOON)
    expect(page.locator("#replies > .reply")).to_contain_text("Meanwhile")


def test_page_is_not_live_while_the_browser_is_offline(small_desk: Desk) -> None:
    casey = small_desk.enter("casey")
    page = casey.page(small_desk.ticket)
    is_live(page)
    chip = page.locator("state-chip")
    casey.context.set_offline(True)
    expect(chip).to_have_attribute("data-connected", "false", timeout=5_000)
    page.locator("ticket-composer textarea").fill("Written in a tunnel")
    page.locator("ticket-composer textarea").press("Control+Enter")
    expect(page.locator(".composer")).to_contain_text("Not sent yet. It will be sent when the connection is back.")
    casey.context.set_offline(False)
    expect(chip).to_have_attribute("data-connected", "true", timeout=SOON)
    expect(page.locator("#replies > .reply .prose")).to_have_text(["Written in a tunnel"])
    expect(page.locator("ticket-composer textarea")).to_have_value("")


def test_page_is_live_soon_after_sockets_are_possible_again(small_desk: Desk) -> None:
    casey = small_desk.enter("casey", bypass_csp=True)
    with socket.socket() as closed:  # bound, but not listening: it refuses connections
        closed.bind(("127.0.0.1", 0))
        elsewhere = f"ws://127.0.0.1:{closed.getsockname()[1]}/"
        casey.context.add_init_script(
            """globalThis.WebSocket = new Proxy(WebSocket, { construct: (target, [address, ...rest]) =>
              new target(sessionStorage.getItem("elsewhere") ?? address, ...rest) })"""
        )
        page = casey.page("/profile/")
        page.evaluate(f"sessionStorage.setItem('elsewhere', '{elsewhere}')")
        page.goto(small_desk.ticket)
        chip = page.locator("state-chip")
        expect(chip).to_have_attribute("data-state", "polling", timeout=SOON)
        page.evaluate("sessionStorage.removeItem('elsewhere')")
        # pusher-js would try again after 15 to 60 seconds.
        expect(chip).to_have_attribute("data-connected", "true", timeout=14_000)


def test_relative_times_are_by_the_servers_clock(small_desk: Desk) -> None:
    send(small_desk.enter("bao").page(small_desk.ticket), "Just now")
    casey = small_desk.enter("casey")
    casey.context.clock.set_fixed_time("2031-05-04T10:00:00Z")
    page = casey.page(small_desk.ticket)
    time = page.locator("#replies > .reply relative-time").first
    expect(time).to_have_text(re.compile(r"^(now|[1-5]?\d seconds? ago|\d min ago)$"))
