"""A macro on an open ticket: found by keys, shown, applied, live for a colleague, and never over a newer change."""

from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import choose

SAVE = """
from accounts.models import Office
from tickets.models import Macro, Status
closed = Status.objects.get(name='Closed').pk
actions = {'status': closed, 'reply': 'Hi {{customer.first_name}}', 'note': 'By {{agent}}'}
Macro.objects.create(name='Refunded', office=Office.objects.get(name='Billing'), actions=actions)
Macro.objects.create(name='Put off', actions={'snooze': 'tomorrow'})
"""


def test_macro_is_shown_and_applied_live_and_not_over_a_newer_change(small_desk: Desk) -> None:
    small_desk.manage("shell", "-v", "0", "-c", SAVE)
    agent, colleague = (small_desk.enter(name).page(small_desk.ticket) for name in ("bao", "dana"))
    for page in (agent, colleague):
        is_live(page)
    picker, dialog = agent.locator("macro-picker"), agent.locator("macro-dialog dialog")
    agent.keyboard.press("m")
    expect(picker.locator("li")).to_have_count(2)
    picker.locator("input").fill("refu")
    expect(picker.locator("li")).to_have_count(1)
    assert [each for each in inspect(agent) if not each.endswith("scrolls sideways")] == []  # the bar may
    agent.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".macro-text").first).to_contain_text("Hi Casey")
    expect(dialog.locator("dd")).to_have_text("Closed")
    assert [each for each in inspect(agent) if not each.endswith("scrolls sideways")] == []
    choose(colleague, "status", "On Hold")
    expect(agent.locator("ticket-facts .pill")).to_have_text("On Hold")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.locator("[data-error-for=__all__]")).to_contain_text("changed this to “On Hold”")
    expect(colleague.locator("#replies > .reply")).to_have_count(0)
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog).to_be_hidden()
    for page in (agent, colleague):
        expect(page.locator("#replies > .reply")).to_have_count(2)
        expect(page.locator("ticket-facts .pill")).to_have_text("Closed")
        expect(page.locator("#timeline")).to_contain_text("Bao Nguyen applied the macro “Refunded”")


def test_macro_is_applied_at_once(small_desk: Desk) -> None:
    small_desk.manage("shell", "-v", "0", "-c", SAVE)
    agent = small_desk.enter("bao").page(small_desk.ticket)
    is_live(agent)
    agent.keyboard.press("m")
    agent.locator("macro-picker input").fill("refu")
    expect(agent.locator("macro-picker li")).to_have_count(1)
    agent.keyboard.press("Shift+Enter")
    expect(agent.locator("#replies > .reply")).to_have_count(2)
    expect(agent.locator("macro-dialog dialog")).to_be_hidden()
