"""Notifications: the bell of every tab, and push messages that a service worker shows."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Playwright, Worker, expect

from tests.browser.conftest import CHROMIUM, QUIET, Desk, Person, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import message, send
from tests.support.servers.push_service import ADDRESS, PushService


def bell(page: Page) -> Locator:
    return page.locator("notification-bell")


def test_bell_shows_the_same_on_all_tabs_and_nothing_that_is_in_view(small_desk: Desk) -> None:
    bao = small_desk.enter("bao")
    asked = small_desk.enter("casey").page(small_desk.ticket)
    work, other, third = [bao.page(path) for path in (small_desk.ticket, "/profile/", "/tickets/new/")]
    for page in (asked, work, other, third):
        is_live(page)
    send(asked, "Are you there?")
    expect(message(work, "Are you there?")).to_be_visible()
    # The page that shows it marks it read: the next one counts alone.
    work.goto("/profile/tokens/")
    send(asked, "Hello?")
    tabs = (work, other, third)
    for page in tabs:
        expect(bell(page)).to_have_attribute("data-unread", "1")
    expect(bell(other).get_by_role("button", name="Notifications 1 unread")).to_be_visible()

    bell(other).get_by_role("button", name=re.compile("^Notifications")).press("Enter")
    unread = bell(other).locator(".notification[data-read=false]")
    expect(unread).to_have_count(1)
    expect(unread).to_contain_text("Casey Rivers replied to “Charged twice”")
    assert bao.problems == []
    assert inspect(other) == []
    unread.get_by_role("button", name="Mark as read").press("Enter")
    for page in tabs:
        expect(bell(page)).to_have_attribute("data-unread", "0")

    send(asked, "Anyone?")
    expect(unread).to_have_count(1)
    unread.get_by_role("link").press("Enter")
    expect(other).to_have_url(re.compile(r"/tickets/[0-9a-f-]{36}/#reply-[0-9a-f-]{36}$"))
    expect(other.locator("#replies > .reply:target")).to_contain_text("Anyone?")
    for page in tabs:
        expect(bell(page)).to_have_attribute("data-unread", "0")


# What a screen reader says: the texts that live regions have had.
LISTEN = """() => {
  self.said = []
  const regions = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log]"
  const note = (node) => {
    const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node
    const text = node.textContent.replace(/\\s+/g, " ").trim()
    if (text && element?.closest("[aria-live], [role]")?.matches(regions)) self.said.push(text)
  }
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes)
      if (type === "characterData") note(target)
      else for (const node of addedNodes) note(node)
  }).observe(document.body, { subtree: true, childList: true, characterData: true })
}"""

# A toast with the focus stays.
KEEP = """() => new MutationObserver(() => document.querySelector(".toast-item [data-close]")?.focus())
  .observe(document.querySelector("toast-list"), { childList: true })"""


def test_burst_of_ten_replies_is_not_ten_sentences(small_desk: Desk) -> None:
    # Two persons: what Bao's page shows is read, which would take the toast from Bao's other pages.
    work, elsewhere = small_desk.enter("bao").page(small_desk.ticket), small_desk.enter("dana").page("/profile/")
    for page in (work, elsewhere):
        is_live(page)
        page.evaluate(LISTEN)
    elsewhere.evaluate(KEEP)
    written(small_desk, 10)
    expect(work.locator("#replies > .reply")).to_have_count(10)
    expect(elsewhere.locator(".toast-item")).to_have_count(1)
    expect(elsewhere.locator(".toast-item p")).to_have_text("10 new replies in “Charged twice”", use_inner_text=True)
    about = "New reply added to “Charged twice”"
    expect(work.locator("toast-list [data-announcement]")).to_contain_text(about)
    # One for the first, one three seconds later at most for all others.
    assert 1 <= len([text for text in work.evaluate("said") if about in text]) <= 2
    assert len([text for text in elsewhere.evaluate("said") if "Charged twice" in text]) == 1

    # One entry in the bell, live while it is open, which marks all of them read.
    # The ticket was new: that is the eleventh.
    expect(bell(elsewhere)).to_have_attribute("data-unread", "11")
    bell(elsewhere).get_by_role("button", name=re.compile("^Notifications")).press("Enter")
    unread = bell(elsewhere).locator(".notification[data-read=false]")
    expect(unread).to_contain_text("10 new replies in “Charged twice” +1 more", use_inner_text=True)
    written(small_desk, 1)
    expect(unread).to_contain_text("11 new replies in “Charged twice” +1 more", use_inner_text=True)
    expect(unread).to_have_count(1)
    assert inspect(elsewhere) == []
    assert not [text for text in elsewhere.evaluate("said") if "11" in text]
    unread.get_by_role("button", name="Mark as read").press("Enter")
    expect(bell(elsewhere)).to_have_attribute("data-unread", "0")
    expect(bell(elsewhere).locator(".notification")).to_contain_text("11 replies in", use_inner_text=True)


# Push messages

FULL = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), CHROMIUM)
# No push service is reached in a test: the browser's address there, and its keys, are the test's.
SUBSCRIBE = "PushManager.prototype.subscribe = async () => ({{ toJSON: () => ({subscription}) }})"
WRITE = """
from tickets import services
from tickets.models import Ticket
ticket = Ticket.objects.get()
for number in range({count}):
    reply = services.add_reply(ticket, by=ticket.creator, message=f"Line {{number}}")
print(f"{{ticket.get_absolute_url()}}#reply-{{reply.pk}}")
"""
PUSH = """
from jobs.models import Job
from realtime.utils.networks import parse_network
from tests.support.jobs import run_all_jobs
from tickets.models import PushSubscription
from tickets.notifications.push import sending
sending.NETWORKS = [parse_network("127.0.0.0/8")]
PushSubscription.objects.update(endpoint="{address}")
Job.objects.exclude(task__contains="push").delete()
for _round in range(2):
    run_all_jobs()
"""
# Notes what the browser was given to show, and did show. It forgets at times what it shows: `getNotifications`.
NOTE = """() => {
  self.shown = []
  const show = ServiceWorkerRegistration.prototype.showNotification
  ServiceWorkerRegistration.prototype.showNotification = async function (title, options) {
    await show.call(this, title, options)
    self.shown.push([title, options.data])
  }
}"""
SHOWN = """async () => {
  for (let tries = 0; tries < 500 && self.shown.length === 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  return self.shown.splice(0)
}"""
# A browser lets only a click of the user's focus or open a page, which a test cannot make: what is opened is noted.
CLICK = """async (data) => {
  const did = []
  Object.defineProperty(clients, "openWindow", { value: async (url) => did.push(url), configurable: true })
  const notification = { data, close: () => did.push("closed") }
  let done
  const waitUntil = (task) => (done = task.catch(() => {}))
  dispatchEvent(Object.assign(new Event("notificationclick"), { notification, waitUntil }))
  await done
  return did
}"""


@pytest.fixture
def notifying_desk(small_desk: Desk, playwright: Playwright) -> Iterator[Desk]:
    """The desk with a browser that shows notifications: the headless shell denies them."""
    browser = playwright.chromium.launch(executable_path=FULL, chromium_sandbox=False, args=QUIET)
    yield replace(small_desk, browser=browser)
    browser.close()


def subscribed(desk: Desk, service: PushService) -> tuple[Person, Page, Worker]:
    """Return Bao, a page that has subscribed to push messages, and the service worker."""
    bao = desk.enter("bao", permissions=["notifications"])
    values = {"endpoint": f"{ADDRESS}1", "keys": service.keys.values}
    bao.context.add_init_script(SUBSCRIBE.format(subscription=json.dumps(values)))
    with bao.context.expect_event("response", is_subscription) as response:
        page = bao.page("/profile/")
    assert response.value.status == 204
    is_live(page)
    worker = bao.context.service_workers[0]
    worker.evaluate(NOTE)
    page.evaluate(NOTE)
    return bao, page, worker


def is_subscription(response: Any) -> bool:
    return response.request.method == "POST" and response.url.endswith("/notifications/push/")


class PushDelivery:
    """Hands messages to the service worker, in the place of the browser's connection to a push service."""

    def __init__(self, bao: Person, page: Page) -> None:
        self.origin, self.session = bao.wire.url, bao.context.new_cdp_session(page)
        self.registrations: list[str] = []
        self.session.on("ServiceWorker.workerRegistrationUpdated", self._on_updated)
        self.session.send("ServiceWorker.enable")
        while not self.registrations:
            page.evaluate("navigator.serviceWorker.ready.then(() => {})")

    def _on_updated(self, event: Any) -> None:
        self.registrations += [each["registrationId"] for each in event["registrations"]]

    def deliver(self, data: str) -> None:
        values = {"origin": self.origin, "registrationId": self.registrations[0], "data": data}
        self.session.send("ServiceWorker.deliverPushMessage", values)


def test_push_message_reaches_the_worker_and_leads_to_its_message(notifying_desk: Desk) -> None:
    desk = notifying_desk
    title = "Casey Rivers replied to “Charged twice”"
    with PushService() as service:
        bao, page, worker = subscribed(desk, service)
        push = PushDelivery(bao, page)
        # A tab that is open and not looked at shows a notification itself: no message is sent for it.
        page.evaluate("document.hasFocus = () => false")
        with page.expect_response("**/push/shown/"):
            url = written(desk, 1)
        assert page.evaluate(SHOWN) == [[title, {"url": url}]]
        page.goto("about:blank")
        url = written(desk, 12)
        desk.manage("shell", "-v", "0", "-c", PUSH.format(address=service.url))
        assert len(service.received) == 12
        [latest] = [json.dumps(each) for each in service.received if each["url"] == url]

    push.deliver(latest)
    [[shown, data]] = worker.evaluate(SHOWN)
    assert (shown, data) == (title, {"url": url})
    assert worker.evaluate(CLICK, data) == ["closed", url]
    # A page of the ticket scrolls to the message, without loading again.
    page.goto(f"{desk.ticket}?list=x")
    is_live(page)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' }); self.isSame = true")
    assert worker.evaluate(CLICK, data) == ["closed"]
    expect(page.locator(f"#{url.partition('#')[2]}:target")).to_be_in_viewport()
    assert page.evaluate("self.isSame")
    assert bao.problems == []


def written(desk: Desk, count: int) -> str:
    """Have Casey reply `count` times; return where the last reply is."""
    return desk.manage("shell", "-v", "0", "-c", WRITE.format(count=count)).splitlines()[-1]
