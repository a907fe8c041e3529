"""What users do on the pages of tickets."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Person


def status(page: Page, text: str) -> None:
    expect(page.locator("ticket-facts [data-text='ticket.status']").first).to_have_text(text)


def send(page: Page, text: str, *, note: bool = False) -> None:
    """Write a reply or a note, and see it stand in one's own conversation."""
    if page.locator("ticket-composer input[name=internal]").count():
        page.locator(f"ticket-composer input[name=internal][value='{'on' if note else ''}']").check(force=True)
    page.locator("ticket-composer textarea").fill(text)
    page.locator("ticket-composer textarea").press("Control+Enter")
    expect(page.locator("#replies > .reply").last).to_contain_text(plain(text))
    expect(page.locator("ticket-composer textarea")).to_have_value("")


def plain(text: str) -> str:
    return text.replace("**", "")


def choose(page: Page, name: str, label: str) -> None:
    page.locator(f"form[data-autosubmit] select[name={name}]").select_option(label=label)


def ask(person: Person, subject: str, content: str) -> Page:
    """Open a ticket in Billing, and return its page."""
    page = person.page("/tickets/new/")
    page.locator("[name=subject]").fill(subject)
    page.locator("[name=content]").fill(content)
    page.get_by_role("radio", name="Billing").check()
    page.locator("main form button[type=submit]").last.click()
    expect(page).to_have_url(re.compile(r"/tickets/[0-9a-f-]{36}/$"))
    return page


def message(page: Page, text: str) -> Locator:
    return page.locator("#replies > .reply").filter(has_text=text)


def make_internal(page: Page, text: str) -> None:
    message(page, text).locator("summary[title='Make internal…']").click()
    expect(message(page, text)).to_contain_text("Casey Rivers will no longer see this reply")
    message(page, text).get_by_role("button", name="Make internal").click()


def ask_unseen(person: Person, subject: str) -> None:
    """Open a ticket in Billing as a browser without a page would."""
    request = person.context.request
    form = request.get("/tickets/new/").text()
    token, office, priority = (
        re.search(pattern, form)[1]
        for pattern in (
            r'csrfmiddlewaretoken" value="(\w+)',
            r'value="(\d+)"[^>]*>(?:\s|<span>|<strong>)*Billing',
            r'value="(\d+)" selected',
        )
    )
    words = {"subject": subject, "content": "Hello", "office": office, "priority": priority}
    answer = request.post("/tickets/new/", form=words | {"csrfmiddlewaretoken": token}, max_redirects=0)
    assert answer.status == 302
