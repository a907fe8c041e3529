"""A customer and two agents on one ticket: who is here and who writes, as far as each of them may see it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, Person, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import send


def colleagues(page: Page) -> Locator:
    return page.locator("ticket-presence .colleague")


def writing(page: Page) -> Locator:
    return page.locator(".composer-activity")


def type_into(page: Page, text: str, *, note: bool = False) -> None:
    if page.locator("ticket-composer input[name=internal]").count():
        page.locator(f"ticket-composer input[name=internal][value='{'on' if note else ''}']").check(force=True)
    page.locator("ticket-composer textarea").press_sequentially(text)


def test_three_people_see_who_is_here_and_who_writes(desk: Desk) -> None:
    bao, dana, casey = desk.enter("bao", server=0), desk.enter("dana"), desk.enter("casey", server=0)
    work, other, asked = [person.page(desk.ticket) for person in (bao, dana, casey)]
    second_tab, ada = dana.page(desk.ticket), desk.enter("ada", server=0)
    lists = ada.page("/tickets/")
    for page in (work, other, second_tab, asked, lists):
        is_live(page)
    expect(colleagues(work)).to_have_text(["Dana Okafor is viewing"])
    expect(colleagues(other)).to_have_text(["Bao Nguyen is viewing"])
    assert asked.locator("ticket-presence").count() == 0

    type_into(other, "We look into it")
    expect(colleagues(work)).to_have_text(["Dana Okafor is replying"])
    expect(writing(work)).to_have_text("Dana Okafor is replying right now")
    expect(writing(asked)).to_have_text("Dana Okafor is writing…")
    expect(lists.get_by_role("img", name="Dana Okafor is replying")).to_be_visible()
    late = ada.page(desk.ticket)
    expect(colleagues(late)).to_have_text(["Dana Okafor is replying", "Bao Nguyen is viewing"])

    send(other, "We look into it")
    expect(colleagues(work).first).to_have_text("Dana Okafor is viewing")
    expect(writing(asked)).to_be_hidden()

    type_into(asked, "Thank you")
    expect(writing(work)).to_have_text("Casey Rivers is writing…")
    before = len(casey.frames)
    type_into(work, "They were charged twice before", note=True)
    expect(colleagues(other).first).to_have_text("Bao Nguyen is writing a note")
    send(asked, "Thank you")
    expect(writing(work)).to_be_hidden()
    assert not [frame for frame in casey.frames[before:] if "Bao Nguyen" in frame]

    other.close()
    second_tab.close()
    expect(colleagues(work)).to_have_text(["Ada Admin is viewing"])
    expect(lists.get_by_role("img", name="Dana Okafor")).to_have_count(0)
    lists.goto("/")
    expect(lists.locator("#online li")).to_have_text(["Bao Nguyen"])
    assert ada.problems == bao.problems == dana.problems == casey.problems == []


def page_without_news(person: Person, path: str) -> Page:
    """Open a page that no live update reaches, as on a network that swallows them."""
    page = person.context.new_page()
    page.route_web_socket("**/app/**", lambda _socket: None)
    page.route("**/broadcasting/history*", lambda route: route.abort())
    page.goto(path)
    return page


def page_not_looked_at(person: Person, path: str) -> Page:
    """Open a page in a tab that is never in front."""
    page = person.context.new_page()
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
    page.goto(path)
    return page


def test_unseen_messages_stop_a_reply_until_they_were_shown(small_desk: Desk) -> None:
    bao, casey = small_desk.enter("bao"), small_desk.enter("casey")
    dana = small_desk.enter("dana").page(small_desk.ticket)
    work, asked = page_without_news(bao, small_desk.ticket), casey.page(small_desk.ticket)
    behind = page_not_looked_at(casey, small_desk.ticket)
    for page in (dana, asked, behind):
        is_live(page)
    type_into(behind, "Any news?")
    type_into(work, "Both are refunded")
    send(dana, "One is refunded")
    guard = work.get_by_role("dialog", name="New messages arrived while you were writing")
    expect(behind.locator("#replies > .reply")).to_have_count(1)
    behind.locator("ticket-composer textarea").press("Control+Enter")
    expect(behind.get_by_role("dialog")).to_contain_text("One is refunded")

    work.locator("ticket-composer textarea").press("Control+Enter")
    expect(guard.locator(".reply")).to_have_count(1)
    expect(guard).to_contain_text("One is refunded")
    assert inspect(work) == []
    expect(guard.get_by_role("button", name="Edit message")).to_be_focused()
    work.keyboard.press("Enter")
    expect(work.locator("ticket-composer textarea")).to_be_focused()
    expect(work.locator("ticket-composer textarea")).to_have_value("Both are refunded")

    type_into(asked, "Thanks")
    send(dana, "Twice charged before", note=True)
    work.locator("ticket-composer textarea").press("Control+Enter")
    expect(guard.locator(".reply")).to_have_count(1)
    expect(guard).to_contain_text("Twice charged before")
    guard.get_by_role("button", name="Send anyway").click()
    expect(work.locator("ticket-composer textarea")).to_have_value("")
    expect(asked.locator("#replies > .reply .prose")).to_have_text(["One is refunded", "Both are refunded"])
    asked.locator("ticket-composer textarea").press("Control+Enter")  # both were on screen
    expect(asked.locator("#replies > .reply .prose").last).to_contain_text("Thanks")
    assert bao.problems == []
