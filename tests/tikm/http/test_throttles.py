"""Rate limits per user, on pages and API together, with Retry-After."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.support.api_client import ApiClient
from tickets.models import Attachment, Reply, Ticket

pytestmark = pytest.mark.django_db
WAIT = ("60", 429)


@pytest.fixture
def rates(settings):
    settings.ACTION_RATES = dict(settings.ACTION_RATES)
    return settings.ACTION_RATES


@pytest.fixture
def bao(cast):
    browser = Client()
    browser.force_login(cast.bao)
    return browser


def refusal(response):
    return response.get("Retry-After"), response.status_code


def a_file(size=3):
    return SimpleUploadedFile("a.txt", b"x" * size)


def test_replies_of_page_and_api_share_a_limit_and_keep_the_text(cast, rates, bao):
    rates["reply"] = "2/minute"
    page, api = f"/tickets/{cast.ticket.uuid}/replies/", f"tickets/{cast.ticket.uuid}/replies/"
    program = ApiClient(cast.bao)
    assert bao.post(page, {"message": "One"}).status_code == 302
    assert program.post(api, {"message": "Two"}).status_code == 201
    refused = bao.post(page, {"message": "Three, <long> in the writing"})
    assert refusal(refused) == WAIT
    assert "Three, &lt;long&gt; in the writing" in refused.text
    assert "Try again in 1 minute." in refused.text
    by_script = bao.post(page, {"message": "Three"}, headers={"accept": "application/json"})
    assert refusal(by_script) == WAIT
    assert by_script.json()["errors"]["__all__"] == ["Too many requests. Try again in 1 minute."]
    response = program.post(api, {"message": "Three"})
    assert refusal(response) == WAIT
    assert (response["Content-Type"], response.json()["code"]) == ("application/problem+json", "throttled")
    assert Reply.objects.count() == 2
    assert ApiClient(cast.dana).post(api, {"message": "Mine"}).status_code == 201


def test_invalid_form_does_not_count(cast, rates, bao):
    rates["reply"] = "1/minute"
    page = f"/tickets/{cast.ticket.uuid}/replies/"
    assert [bao.post(page, {"message": text}).status_code for text in ("", "", "One", "Two")] == [422, 422, 302, 429]


def test_new_tickets_of_page_and_api_share_a_limit(cast, rates, bao):
    rates["ticket"] = "1/minute"
    words = {"subject": "Help", "content": "Me", "office": cast.billing.pk}
    assert ApiClient(cast.bao).post("tickets/", words).status_code == 201
    refused = bao.post("/tickets/new/", words | {"priority": cast.priority("Low").pk})
    assert refusal(refused) == WAIT
    assert 'value="Help"' in refused.text
    assert refusal(ApiClient(cast.bao).post("tickets/", words)) == WAIT
    assert Ticket.objects.count() == 2


def upload_by_program(program, file):
    return program.client.post("/api/v1/attachments/", {"file": file}, headers=program.headers)


def test_uploads_of_page_and_api_share_a_limit(cast, rates, bao):
    rates["upload"] = "2/minute"
    assert bao.post("/files/", {"file": a_file()}).status_code == 201
    assert upload_by_program(ApiClient(cast.bao), a_file()).status_code == 201
    refused = bao.post("/files/", {"file": a_file()})
    assert refusal(refused) == WAIT
    assert "Too many requests" in refused.json()["errors"]["file"][0]
    assert refusal(upload_by_program(ApiClient(cast.bao), a_file())) == WAIT
    with_form = {"message": "Look", "uploads": a_file()}
    assert refusal(bao.post(f"/tickets/{cast.ticket.uuid}/replies/", with_form)) == WAIT
    assert Attachment.objects.count() == 2


def test_uploads_are_limited_by_bytes(cast, rates, bao):
    rates["upload bytes"] = "10/hour"
    answers = [bao.post("/files/", {"file": a_file(size)}) for size in (6, 6)]
    assert [refusal(answer) for answer in answers] == [(None, 201), ("3600", 429)]
    assert "Try again in 60 minutes." in answers[1].json()["errors"]["file"][0]


def test_searches_share_a_limit_and_lists_have_none(cast, rates, bao):
    rates["search"] = "2/minute"
    assert bao.get("/tickets/", {"q": "charged"}).status_code == 200
    assert ApiClient(cast.bao).get("tickets/?q=charged").status_code == 200
    refused = bao.get("/tickets/", {"q": "charged"})
    assert refusal(refused) == WAIT
    assert 'href="/tickets/?q=charged"' in refused.text
    assert refusal(ApiClient(cast.bao).get("tickets/?q=charged")) == WAIT
    assert bao.get("/tickets/").status_code == 200


def test_downloads_of_page_and_api_share_a_limit(cast, rates, bao):
    rates["download"] = "2/minute"
    file = bao.post("/files/", {"file": a_file()}).json()["attachment"]
    content = f"attachments/{file['id']}/content/"
    assert bao.get(file["url"]).getvalue() == ApiClient(cast.bao).get(content).getvalue() == b"xxx"
    assert refusal(bao.get(file["url"])) == refusal(ApiClient(cast.bao).get(content)) == WAIT


@pytest.mark.parametrize("lie", ["X-Other: {}", "X-Forwarded-For: {}", "X-Real-IP: {}", "Forwarded: for={}"])
def test_sign_up_limit_ignores_untrusted_headers(lie, settings):
    settings.ACCOUNT_RATE_LIMITS = {"signup": "2/m/ip"}
    name, text = lie.split(": ")
    browsers = [Client(REMOTE_ADDR="203.0.113.7", headers={name: text.format(f"198.51.100.{n}")}) for n in range(3)]
    answers = [browser.post("/register/", {}) for browser in browsers]
    assert [refusal(answer) for answer in answers] == [(None, 200), (None, 200), WAIT]
    assert "Too many requests" in answers[-1].text
    assert Client(REMOTE_ADDR="203.0.113.8").post("/register/", {}).status_code == 200
