"""A ticket's properties while others change them: matched by id, never lost, never overwritten unnoticed."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import choose

# What browsers do when they translate a page (Chromium's translator wraps text in <font>).
TRANSLATE = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const texts = []
  while (walker.nextNode()) texts.push(walker.currentNode)
  for (const text of texts) {
    const parent = text.parentElement
    if (!text.data.trim() || parent.closest("script, style, template, [translate=no]")) continue
    if (parent.tagName === "OPTION") text.data = `«${text.data}»`
    else {
      const font = document.createElement("font")
      font.textContent = `«${text.data}»`
      text.replaceWith(font)
    }
  }
}"""


def field(page: Page, name: str) -> Locator:
    return page.locator(f"form[data-autosubmit] [name={name}]")


def form(page: Page, name: str) -> Locator:
    return page.locator("form[data-autosubmit]").filter(has=page.locator(f"[name={name}]"))


def chosen(page: Page, name: str) -> str:
    return field(page, name).evaluate("select => select.selectedOptions[0]?.label")


def opened(desk: Desk, *names: str) -> list[Page]:
    pages = [desk.enter(name).page(desk.ticket) for name in names]
    for page in pages:
        is_live(page)
    return pages


def priority(page: Page, text: str) -> None:
    expect(page.locator("ticket-facts .priority")).to_have_text(text)


def rename(desk: Desk, model: str, names: dict[str, str]) -> None:
    """Rename statuses, priorities or offices; in two steps, since names are unique."""
    lines = ["from tickets.models import Priority, Status", "from accounts.models import Office"]
    lines += [f"{model}.objects.filter(name={old!r}).update(name='x{new}')" for old, new in names.items()]
    lines += [f"{model}.objects.filter(name='x{new}').update(name={new!r})" for new in names.values()]
    desk.manage("shell", "-v", "0", "-c", "\n".join(lines))


# By these names each value's name is another one's id.
REVERSED = {"Low": "4", "Medium": "3", "High": "2", "Urgent": "1"}


def test_values_named_like_ids_are_matched_by_id(small_desk: Desk) -> None:
    rename(small_desk, "Priority", REVERSED)
    rename(small_desk, "Status", {"Open": "4", "In Progress": "3", "On Hold": "2", "Closed": "1"})
    rename(small_desk, "Office", {"Billing": "2", "Orders": "1"})
    bao, dana = opened(small_desk, "bao", "dana")
    for name, label in (("priority", "2"), ("status", "3")):
        choose(bao, name, label)
        expect(dana.locator(f"ticket-facts [data-text='ticket.{name}']")).to_have_text(label)
        assert chosen(dana, name) == label
    assert chosen(dana, "office") == "2"
    listing = dana.context.new_page()
    listing.goto(
        f"/tickets/?priority={field(dana, 'priority').input_value()}&status={field(dana, 'status').input_value()}"
    )
    is_live(listing)
    row = listing.locator(f"#ticket-{small_desk.cast['ticket']}")
    expect(row).to_have_count(1)
    choose(bao, "priority", "1")
    expect(row).to_have_count(0)
    choose(bao, "priority", "2")
    expect(row).to_have_count(1)


def test_page_translated_by_the_browser_takes_new_values(small_desk: Desk) -> None:
    bao, dana = opened(small_desk, "bao", "dana")
    dana.evaluate(TRANSLATE)
    assert chosen(dana, "status") == "«Open»"
    choose(bao, "status", "On Hold")
    expect(dana.locator("ticket-facts .pill")).to_have_text("On Hold")
    assert chosen(dana, "status") == "«On Hold»"
    # The field has the new version with the new value: another change is no conflict and overwrites nothing.
    choose(dana, "priority", "«High»")
    priority(bao, "High")
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")


def test_value_that_the_page_does_not_know_is_added(small_desk: Desk) -> None:
    bao, dana = opened(small_desk, "bao", "dana")
    small_desk.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from tickets.models import Status; Status.objects.create(name='New one', color='#123456')",
    )
    bao.reload()
    is_live(bao)
    choose(bao, "status", "New one")
    expect(dana.locator("ticket-facts .pill")).to_have_text("New one")
    assert chosen(dana, "status") == "New one"


def test_choice_that_could_not_be_saved_stays_until_it_is_given_up(small_desk: Desk) -> None:
    bao, dana = opened(small_desk, "bao", "dana")
    dana.route("**/change/", lambda route: route.abort())
    choose(dana, "status", "On Hold")
    expect(form(dana, "status")).to_contain_text("Couldn't save.")
    dana.locator("ticket-composer textarea").focus()
    choose(bao, "priority", "High")
    priority(dana, "High")
    assert chosen(dana, "status") == "On Hold"
    expect(form(dana, "status")).to_contain_text("Couldn't save.")
    form(dana, "status").get_by_role("button", name="Discard").click()
    assert chosen(dana, "status") == "Open"
    expect(form(dana, "status")).not_to_contain_text("Couldn't save.")
    expect(field(dana, "status")).to_be_focused()


def test_choice_that_could_not_be_saved_is_sent_again(small_desk: Desk) -> None:
    bao, dana = opened(small_desk, "bao", "dana")
    dana.route("**/change/", lambda route: route.abort())
    choose(dana, "status", "On Hold")
    expect(form(dana, "status")).to_contain_text("Couldn't save.")
    dana.unroute("**/change/")
    form(dana, "status").get_by_role("button", name="Try again").click()
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")
    expect(form(dana, "status")).not_to_contain_text("Couldn't save.")
    expect(form(dana, "status").get_by_role("button", name="Try again")).to_have_count(0)


@pytest.mark.parametrize("mine", ["In Progress", "Closed"])
def test_unsaved_choice_does_not_overwrite_a_colleagues(small_desk: Desk, mine: str) -> None:
    bao, dana = opened(small_desk, "bao", "dana")
    dana.route("**/change/", lambda route: route.abort())
    choose(dana, "status", mine)
    expect(form(dana, "status")).to_contain_text("Couldn't save.")
    choose(bao, "status", "On Hold")
    expect(dana.locator("ticket-facts .pill")).to_have_text("On Hold")
    dana.unroute("**/change/")
    form(dana, "status").get_by_role("button", name="Try again").click()
    expect(form(dana, "status")).to_contain_text("Bao Nguyen changed this to “On Hold” while you were editing.")
    form(dana, "status").get_by_role("link", name="Keep theirs").click()
    assert chosen(dana, "status") == "On Hold"


def snooze_and_end(agent: Page, colleague: Page) -> None:
    """Snooze the ticket by keys, and end it by the button, while a colleague looks at the list."""
    agent.locator("#add-tag").blur()
    agent.keyboard.press("#")
    agent.keyboard.press("Enter")  # in 3 hours
    expect(agent.locator("ticket-facts").get_by_text("Snoozed until")).to_be_visible()
    expect(agent.locator("#timeline li").last).to_contain_text("snoozed the ticket until")
    expect(colleague.locator(".ticket-row")).to_have_count(0)
    expect(colleague.locator("[data-count=snoozed]")).to_have_text("1")
    agent.get_by_role("button", name="End snooze").click()
    expect(colleague.locator(".ticket-row")).to_have_count(1)
    expect(agent.locator("ticket-facts").get_by_text("Snoozed until")).to_be_hidden()


def test_tag_is_added_renamed_and_merged_live_and_a_ticket_snoozed(small_desk: Desk) -> None:
    agent, colleague = small_desk.enter("bao").page(small_desk.ticket), small_desk.enter("dana").page("/tickets/")
    customer = small_desk.enter("casey").page(small_desk.ticket)
    for page in (agent, colleague, customer):
        is_live(page)
    for name in ("refund", "vip"):
        agent.locator("#add-tag").fill(name)
        agent.locator(".add-tag button").click()
        expect(agent.locator(".ticket-tags")).to_contain_text(name)
        expect(agent.locator("#add-tag")).to_have_value("")
    expect(agent.locator("#timeline li").last).to_contain_text("added the tag “vip”")
    expect(colleague.locator("#ticket-rows .tag")).to_have_text(["refund", "vip"])
    snooze_and_end(agent, colleague)
    refund, vip = (tag.get_attribute("data-tag") for tag in agent.locator(".ticket-tags .tag").all())
    admin = small_desk.enter("ada").page(f"/settings/tags/{refund}/")
    admin.locator("[name=name]").fill("money")
    admin.get_by_role("button", name="Save").click()
    for page in (agent, colleague):
        expect(page.locator(".tag:visible")).to_have_text(["money", "vip"])
    expect(admin.locator(".sheet-row")).to_have_count(2)
    assert inspect(admin) == []
    admin.goto(f"/settings/tags/{vip}/delete/")
    admin.locator("[name=into]").select_option(label="money")
    admin.get_by_role("button", name="Delete").click()
    for page in (agent, colleague):
        expect(page.locator(".tag:visible")).to_have_text(["money"])
    agent.get_by_role("button", name="Remove money").click()
    expect(agent.locator(".ticket-tags")).to_be_hidden()
    expect(colleague.locator("#ticket-rows .tag")).to_have_count(0)
    agent.locator(".composer textarea").fill("An answer")
    agent.locator(".composer button[type=submit]").first.click()
    expect(customer.locator("#replies")).to_contain_text("An answer")
    expect(customer.locator("#timeline")).not_to_contain_text(re.compile("tag|snooze"))


OPEN_ANOTHER = """
from accounts.models import Office, User
from tickets import services
greta = User.objects.get(email='greta@example.com')
ticket = services.open_ticket(by=greta, subject='Refund', content='x', office=Office.objects.get(name='Billing'))
print(ticket.get_absolute_url(), ticket.reference)
"""


def test_tickets_are_linked_and_unlinked_live_on_both_pages(small_desk: Desk) -> None:
    address, reference = small_desk.manage("shell", "-v", "0", "-c", OPEN_ANOTHER).split()
    agent, colleague = small_desk.enter("bao").page(small_desk.ticket), small_desk.enter("dana").page(address)
    for page in (agent, colleague):
        is_live(page)
    for typed in ("nonsense", reference.lower()):
        agent.locator("#add-link").fill(typed)
        agent.locator(".add-link button").click()
        expect(agent.locator("#add-link-error")).to_be_visible(visible=typed == "nonsense")
    expect(agent.locator("related-tickets a")).to_have_text(f"{reference} Refund")
    expect(agent.locator("#add-link")).to_have_value("")
    expect(colleague.locator("related-tickets a")).to_contain_text("Charged twice")
    expect(colleague.locator("#timeline li").last).to_contain_text("Bao Nguyen linked a related ticket")
    choose(colleague, "status", "On Hold")
    expect(agent.locator("related-tickets .pill")).to_have_text("On Hold")
    assert inspect(agent) == []
    colleague.get_by_role("button", name="Remove BCD-FGHJ").click()
    for page in (agent, colleague):
        expect(page.locator("related-tickets ul")).to_be_hidden()
    expect(agent.locator("#timeline li").last).to_contain_text("Dana")
    expect(agent.locator("#timeline li").last).to_contain_text("removed a related ticket")
