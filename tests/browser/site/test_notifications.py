"""The story of a notification: on all tabs of its person, from the bell to the message, and by a mention."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import message, send


def test_notification_goes_from_the_bell_to_its_message_on_all_tabs(small_desk: Desk) -> None:
    bao, dana = small_desk.enter("bao"), small_desk.enter("dana")
    elsewhere, other = bao.page("/profile/"), bao.page("/tickets/new/")
    work = dana.page(small_desk.ticket)
    for page in (elsewhere, other, work):
        is_live(page)
    # A mention, by keyboard
    work.locator("ticket-composer input[name=internal][value=on]").check(force=True)
    text = work.locator("ticket-composer textarea")
    text.press_sequentially("Please look, @Ba")
    expect(work.locator("mention-picker").get_by_role("option", name="Bao Nguyen")).to_have_attribute(
        "aria-selected", "true"
    )
    assert inspect(work) == []
    text.press("Enter")
    expect(text).to_have_value("Please look, @Bao Nguyen ")
    text.press("Control+Enter")
    expect(message(work, "Please look").locator(".mention")).to_have_text("@Bao Nguyen")
    # The toast and the bell
    expect(elsewhere.locator(".toast-item")).to_contain_text("Dana Okafor mentioned you in “Charged twice”")
    for page in (elsewhere, other):
        expect(page.locator("notification-bell [data-badge]")).to_contain_text("1")
    bell = elsewhere.get_by_role("button", name="Notifications")
    bell.press("Enter")
    sheet = elsewhere.locator(".bell-sheet")
    expect(sheet.get_by_role("link", name="Dana Okafor mentioned you")).to_be_visible()
    expect(bell).to_have_attribute("aria-expanded", "true")
    assert inspect(elsewhere) == []
    elsewhere.keyboard.press("Escape")
    expect(bell).to_be_focused()
    bell.press(" ")
    sheet.get_by_role("link", name="Dana Okafor mentioned you").click()
    expect(message(elsewhere, "Please look")).to_be_in_viewport()
    # Seeing the message is reading the notification
    for page in (elsewhere, other):
        expect(page.locator("notification-bell [data-badge]")).to_be_hidden()
    # Muted on all tabs
    second = bao.page(small_desk.ticket)
    is_live(second)
    second.get_by_role("button", name="Mute").click()
    for page in (second, elsewhere):
        expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    send(small_desk.enter("casey").page(small_desk.ticket), "Hello?")
    expect(message(second, "Hello?")).to_be_visible()
    expect(other.locator("notification-bell [data-badge]")).to_be_hidden()
