"""Accessibility: axe finds no serious violation on any page, light and wide or dark and narrow."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.sync_api import expect

from tests.browser.conftest import Desk, is_live
from tests.browser.support.accessibility import inspect
from tests.browser.support.actions import send
from tests.browser.support.attachments import PICTURE, PROGRAM, at_a_ticket, named, pick
from tests.support.cast import PASSWORD

# Lists and dashboards with their states are looked at in test_list.py.
PAGES = {
    None: [
        "/login/", "/register/", "/password/reset/", "/password/reset/sent/", "/password/reset/done/",
        "/password/reset/abc-def/", "/invitations/abc/", "/email/sent/", "/email/confirm/abc/", "/inactive/",
    ],
    "casey": [
        "/tickets/?q=nothing-like-it", "/tickets/new/", "/profile/", "/profile/email/", "/profile/password/",
        "/profile/two-step/", "/profile/sign-ins/", "/profile/mails/", "/notifications/", "/logout/",
    ],
    "bao": ["/tickets/new/", "/profile/email/", "/reports/"],
    "ada": [
        "/admin/", "/admin/tickets/ticket/", "/admin/tickets/ticket/add/", "/admin/tickets/ticket/1/change/",
        "/admin/tickets/ticket/1/delete/", "/admin/tickets/ticket/1/history/", "/admin/accounts/user/",
        "/admin/accounts/user/add/", "/admin/accounts/office/1/change/", "/admin/accounts/desksettings/",
        "/admin/tickets/status/1/change/",
        "/settings/saved-replies/new/", "/settings/macros/", "/settings/macros/new/", "/settings/offices/1/",
        "/settings/people/", "/settings/people/invite/", "/settings/organizations/", "/settings/organizations/new/",
        "/settings/desk/",
        "/settings/tags/new/", "/settings/views/",
        "/settings/statuses/", "/settings/statuses/1/", "/settings/priorities/1/delete/",
        "/admin/usersessions/usersession/", "/admin/realtime/broadcast/",
    ],
}  # fmt: skip
# Forms that are not accepted, with what is typed there.
WRONG = {
    "/tickets/new/": {"subject": ""},
    "/profile/": {"name": ""},
    "/profile/email/": {"email": "nonsense"},
    "/profile/password/": {"oldpassword": "wrong", "password1": "1", "password2": "2"},
}


INVITE = """
from accounts.invitations import services
from accounts.models import User
invitation = services.invite("zoe@example.org", by=User.objects.get(email="ada@example.com"), role="admin")
print(services.path_of(invitation))
"""
# Renders the pages of a development site in a process with DEBUG: the desk of the tests has none.
DEVELOPMENT = """
import json
from django.core.mail import EmailMultiAlternatives
from django.test import Client, override_settings
from mail.development import outbox
with override_settings(EMAIL_BACKEND="jobs.mail_backends.FileBackend", EMAIL_FILE_PATH={folder!r}):
    mail = EmailMultiAlternatives("Your invoice", "Hello", "desk@example.com", ["casey@example.com"])
    mail.attach_alternative("<p>Hello</p>", "text/html")
    mail.send()
    client = Client(SERVER_NAME="localhost")
    (sent,) = outbox.sent_mails()
    paths = "/dev/mail/", f"/dev/mail/{{sent.name}}/", f"/dev/mail/{{sent.name}}/html/"
    print(json.dumps({{path: client.get(path).text for path in paths}}))
"""


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_no_serious_barrier_and_do_not_scroll_sideways(small_desk: Desk, name: str | None) -> None:
    person = small_desk.enter(name) if name else small_desk.visitor()
    page = person.page("/login/")
    found = []
    for path in PAGES[name]:
        page.goto(path)
        found += inspect(page)
    assert found == []


def test_invitation_and_development_mails_have_no_serious_barrier(small_desk: Desk, tmp_path: Path) -> None:
    page, found = small_desk.visitor().context.new_page(), []
    page.goto(small_desk.manage("shell", "-v", "0", "-c", INVITE).split()[-1])
    expect(page.get_by_role("heading", name="Create your account")).to_be_visible()
    found += inspect(page)
    printed = small_desk.manage("shell", "-v", "0", "-c", DEVELOPMENT.format(folder=str(tmp_path)))
    pages = json.loads(printed.splitlines()[-1])
    page.route(
        "**/dev/mail/**",
        lambda route: route.fulfill(body=pages[urlsplit(route.request.url).path], content_type="text/html"),
    )
    for path in list(pages)[:2]:
        page.goto(path)
        expect(page.locator("main")).to_contain_text("Your invoice")
        found += inspect(page)
    assert found == []


@pytest.mark.parametrize("template", ["404.html", "500.html", "403.html", "403_csrf.html"])
def test_error_pages_have_no_serious_barrier(small_desk: Desk, template: str) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    html = render_to_string(template, request=request)
    page = small_desk.visitor().context.new_page()
    page.route("**/error-page/", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("/error-page/")
    expect(page.locator(".error-page h1")).to_be_visible()
    assert inspect(page) == []


def test_forms_with_errors_have_no_serious_barrier(small_desk: Desk) -> None:
    page, found = small_desk.enter("casey").page("/tickets/new/"), []
    for path, fields in WRONG.items():
        page.goto(path)
        for name, text in fields.items():
            page.locator(f"main [name={name}]").fill(text)
        page.locator(f"main [name={next(iter(fields))}]").evaluate(
            "({form}) => { form.noValidate = true; form.requestSubmit(form.querySelector('[type=submit]')) }"
        )
        expect(page.locator(".field-error:not([hidden])").first).to_be_visible()
        found += inspect(page)
    assert found == []


def test_ticket_states_have_no_serious_barrier(small_desk: Desk) -> None:
    bao, dana = at_a_ticket(small_desk, "bao", "dana")
    send(bao, "A note", note=True)
    pick(bao, PICTURE)
    named(bao)
    bao.locator(".visibility summary:visible").click()
    send(bao, "With a picture")
    pick(bao, PICTURE, PROGRAM)
    expect(bao.locator(".file-item-problem").last).to_contain_text("isn't allowed")
    status = bao.locator("form[data-autosubmit] select[name=status]")
    status.focus()
    dana.locator("form[data-autosubmit] select[name=status]").select_option(label="On Hold")
    expect(bao.locator("ticket-facts .pill")).to_have_text("On Hold")
    status.select_option(label="Closed")
    expect(bao.locator("form[data-conflicted]")).to_contain_text("while you were editing")
    expect(bao.locator(".visibility details[open] .visibility-question")).to_be_visible()
    assert inspect(bao) + inspect(dana) == []


def test_account_security_pages_have_no_serious_barrier(small_desk: Desk) -> None:
    page = small_desk.enter("emil").page("/profile/tokens/")
    found = inspect(page)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.locator("[name=name]").fill("Import")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#secret")).not_to_be_empty()
    found += inspect(page)
    page.goto("/profile/two-step/totp/activate/")
    found += inspect(page)
    is_live(page)
    assert found == []
