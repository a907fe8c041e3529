"""Attachments in a real browser: chosen, dropped, pasted, removed and sent."""

from playwright.sync_api import Route, expect

from tests.browser.conftest import Desk
from tests.browser.support.attachments import PICTURE, PROGRAM, TEXT, at_a_ticket, named, pick

GIVE = """([how, name]) => {
  const data = new DataTransfer()
  data.items.add(new File(["a line\\n"], name, { type: "text/plain" }))
  const area = document.querySelector("ticket-composer textarea")
  const event = how === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
  area.dispatchEvent(event)
}"""


def test_files_of_a_note_reach_staff_only(small_desk: Desk) -> None:
    bao, dana, casey = at_a_ticket(small_desk, "bao", "dana", "casey")
    bao.locator("ticket-composer input[name=internal][value=on]").check(force=True)
    pick(bao, TEXT)
    bao.locator("ticket-composer textarea").fill("The customer's log")
    named(bao)
    bao.get_by_role("button", name="Add note").click()
    expect(dana.locator("#replies .attachment-name")).to_have_text(["log.txt"])
    address = dana.get_by_role("link", name="log.txt").get_attribute("href")
    assert dana.context.request.get(address).status == 200
    assert casey.context.request.get(address).status == 404
    assert "log.txt" not in casey.content()


def test_files_can_be_pasted_and_dropped(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    page.evaluate(GIVE, ["paste", "pasted.txt"])
    page.evaluate(GIVE, ["drop", "dropped.txt"])
    expect(page.locator(".file-item[data-state=done]")).to_have_count(2)
    assert set(named(page)) == {"pasted.txt", "dropped.txt"}


def test_file_can_be_removed_before_sending(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    pick(page, PICTURE, TEXT)
    named(page)
    page.get_by_role("button", name="Remove receipt.png").press("Enter")
    page.locator("ticket-composer textarea").fill("Only the log")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#replies .attachment-name")).to_have_text(["log.txt"])


def test_refused_file_shows_the_reason_and_keeps_the_text(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    page.locator("ticket-composer textarea").fill("A long story")
    pick(page, PROGRAM)
    expect(page.locator(".file-item-problem").first).to_contain_text("isn't allowed")
    pick(page, *({**TEXT, "name": f"{number}.txt"} for number in range(5)))
    assert named(page) == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]
    pick(page, TEXT)
    expect(page.locator(".file-item-problem").last).to_contain_text("Too many files")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#replies .attachment")).to_have_count(5)
    expect(page.locator("#replies .prose")).to_have_text("A long story")


def test_failed_upload_can_be_retried_and_keeps_the_text(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    page.route("**/files/", lambda route: route.abort())
    page.locator("ticket-composer textarea").fill("A long story")
    pick(page, TEXT)
    expect(page.locator(".file-item-problem")).to_contain_text("Couldn't upload this file")
    page.unroute("**/files/")
    page.get_by_role("button", name="Try again").click()
    assert named(page) == ["log.txt"]
    expect(page.locator("ticket-composer textarea")).to_have_value("A long story")


def test_draft_keeps_its_files_through_a_reload(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    page.locator("ticket-composer textarea").fill("A long story")
    pick(page, TEXT)
    named(page)
    page.reload()
    assert named(page) == ["log.txt"]
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#replies .attachment-name")).to_have_text(["log.txt"])


def test_reply_sent_again_after_a_lost_response_is_created_once(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/replies/", lose)
    page.locator("ticket-composer textarea").fill("Thank you")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("ticket-composer [data-error-for=__all__]")).to_be_visible()
    page.unroute("**/replies/")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("ticket-composer textarea")).to_have_value("")
    page.reload()
    expect(page.locator("#replies > .reply")).to_have_count(1)


def test_edit_conflict_offers_both_values(small_desk: Desk) -> None:
    bao, dana = at_a_ticket(small_desk, "bao", "dana")
    status = bao.locator("form[data-autosubmit] select[name=status]")
    status.focus()  # Bao is about to choose: Dana's change does not replace the focused value
    dana.locator("form[data-autosubmit] select[name=status]").select_option(label="On Hold")
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")
    status.select_option(label="Closed")
    form = bao.locator("form[data-conflicted]")
    expect(form).to_contain_text("Dana Okafor changed this to “On Hold” while you were editing.")
    form.get_by_text("Keep theirs").click()
    expect(status.locator("option:checked")).to_have_text("On Hold")
    expect(bao.locator("form[data-conflicted]")).to_have_count(0)
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")


def test_choosing_own_value_in_a_conflict_sets_it(small_desk: Desk) -> None:
    bao, dana = at_a_ticket(small_desk, "bao", "dana")
    status = bao.locator("form[data-autosubmit] select[name=status]")
    status.focus()
    dana.locator("form[data-autosubmit] select[name=status]").select_option(label="On Hold")
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")
    status.select_option(label="Closed")
    bao.get_by_role("button", name="Use mine").press("Enter")
    for page in (bao, dana):
        expect(page.locator("ticket-facts .pill")).to_have_text("Closed")
    expect(bao.locator("[data-conflict]:visible")).to_have_count(0)


def test_reply_sent_again_with_another_file_is_asked_about_and_then_sent(small_desk: Desk) -> None:
    (page,) = at_a_ticket(small_desk, "casey")
    pick(page, TEXT)
    named(page)
    page.locator("ticket-composer textarea").fill("Two files")

    def lose(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/replies/", lose, times=1)
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#replies > .reply")).to_have_count(1)
    pick(page, PICTURE)
    assert named(page) == ["log.txt", "receipt.png"]
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("ticket-composer [data-error-for=__all__]")).to_contain_text("with different files")
    expect(page.locator("ticket-composer textarea")).to_have_value("Two files")
    assert named(page) == ["log.txt", "receipt.png"]
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#replies > .reply")).to_have_count(2)
    expect(page.locator("#replies > .reply").last.locator(".attachment-name")).to_have_text(
        ["log.txt", "receipt.png"]
    )
    expect(page.locator(".file-item")).to_have_count(0)
