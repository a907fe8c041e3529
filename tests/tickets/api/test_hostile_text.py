"""Text that no database or response can hold is refused in the shape of the API or the form, never with a 500."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.support.api_client import API, ApiClient
from tests.support.cast import PASSWORD, Cast
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

HOSTILE = {"lone surrogate": "\ud800", "reversed pair": "\udc00\ud800", "NUL": "\x00", "NUL inside": "a\x00b"}
TICKET = {"subject": "Chair", "content": "Broken", "office": "Billing"}
# Bodies with a place for the text: @ as a value, a key, an item, and nested.
BODIES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "POST": [
        ("tickets/", TICKET | {"@": 1}),
        ("tickets/", TICKET | {"subject": "@"}),
        ("tickets/", TICKET | {"content": "@"}),
        ("tickets/", TICKET | {"office": "@"}),
        ("tickets/", TICKET | {"priority": "@"}),
        ("tickets/", TICKET | {"attachments": ["@"]}),
        ("tickets/", TICKET | {"attachments": {"@": ["@"]}}),
        ("tickets/", TICKET | {"subject": {"@": "@"}}),
        ("tickets/{uuid}/replies/", {"message": "@"}),
        ("tickets/{uuid}/replies/", {"message": "Hello", "@": "@"}),
        ("tickets/{uuid}/replies/", {"message": "Hello", "is_internal": "@"}),
        ("auth/token/", {"email": "@", "password": PASSWORD, "name": "A"}),
        ("auth/token/", {"email": "bao@example.com", "password": "@", "name": "A"}),
        ("auth/token/", {"email": "bao@example.com", "password": PASSWORD, "name": "@"}),
        ("auth/token/", {"email": "bao@example.com", "password": PASSWORD, "name": "A", "days": "@"}),
        ("auth/token/", {"email": "bao@example.com", "password": PASSWORD, "name": "A", "code": "@"}),
    ],
    "PATCH": [
        ("tickets/{uuid}/", {"status": "@"}),
        ("tickets/{uuid}/", {"office": "@"}),
        ("tickets/{uuid}/", {"assigned_to": "@"}),
        ("tickets/{uuid}/", {"subject": "@"}),
        ("tickets/{uuid}/", {"@": "@"}),
    ],
}
CASES = [(method, path, body) for method, rows in BODIES.items() for path, body in rows]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("method", "path", "body"), CASES)
def test_api_refuses_text_that_cannot_be_stored(
    cast: Cast, text: str, method: str, path: str, body: dict[str, Any]
) -> None:
    sent = (
        json.dumps(body).replace("@example", "\x01").replace("@", json.dumps(text)[1:-1]).replace("\x01", "@example")
    )
    answer = ApiClient(cast.bao).ask(method, path.format(uuid=cast.ticket.uuid), sent)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]
    assert Ticket.objects.count() == 1


def test_same_bodies_are_accepted_without_hostile_text(cast: Cast) -> None:
    assert ApiClient(cast.bao).post("tickets/", json.dumps(TICKET)).status_code == 201


@pytest.mark.parametrize("text", ["%ED%A0%80", "%00", "a%00b", "%FF", "%C0%80", "%F4%90%80%80"])
@pytest.mark.parametrize(
    "path",
    [
        "tickets/?q=@", "tickets/?status=@", "tickets/?priority=@", "tickets/?office=@", "tickets/?assignee=@",
        "tickets/?created_from=@", "tickets/?sort=@", "tickets/?after=@", "tickets/?@=1", "tickets/@/",
        "attachments/@/content/", "tickets/{uuid}/replies/@/", "tickets/{uuid}/replies/?after=@", "assignees/?q=@",
    ],
)  # fmt: skip
def test_api_answers_hostile_addresses(cast: Cast, text: str, path: str) -> None:
    client = ApiClient(cast.bao)
    address = API + path.format(uuid=cast.ticket.uuid).replace("@", text)
    answer = client.client.get(address, headers=client.headers)
    assert answer.status_code in (200, 400, 404, 422)
    assert answer["Content-Type"].startswith(("application/json", "application/problem+json"))


@pytest.mark.parametrize("text", ["%ED%A0%80", "%00", "a%00b", "%FF"])
@pytest.mark.parametrize("path", ["/tickets/?q=@", "/tickets/?office=@", "/tickets/?after=@", "/?@=@", "/tickets/@/"])
def test_pages_answer_hostile_addresses(cast: Cast, text: str, path: str) -> None:
    client = Client()
    client.force_login(cast.bao)
    assert client.get(path.replace("@", text)).status_code in (200, 302, 400, 404)


FORMS = {
    "new ticket": ("/tickets/new/", TICKET | {"office": "{billing}"}, ("subject", "content", "office")),
    "reply": ("{ticket}replies/", {"message": "Hello"}, ("message",)),
    "profile": ("/profile/", {"name": "Bao Nguyen", "language": "en", "time_zone": ""}, ("name", "time_zone")),
    "sign-in": ("/login/", {"login": "bao@example.com", "password": PASSWORD}, ("login", "password")),
    "sign-up": (
        "/register/",
        {"name": "New", "email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD},
        ("name", "email", "password1"),
    ),
    "password reset": ("/password/reset/", {"email": "bao@example.com"}, ("email",)),
    "token": ("/profile/tokens/", {"name": "A", "days": "30", "scope": "read"}, ("name", "days")),
}
FIELDS = [(form, field) for form, (_path, _data, fields) in FORMS.items() for field in fields]


@pytest.mark.parametrize("text", ["%00", "a%00b", "%ED%A0%80", "%FF"])
@pytest.mark.parametrize(("form", "field"), FIELDS)
def test_forms_answer_hostile_text(cast: Cast, form: str, field: str, text: str) -> None:
    path, data, _fields = FORMS[form]
    client = Client()
    if form not in ("sign-in", "sign-up", "password reset"):
        client.force_login(cast.bao)
        client.post("/reauthenticate/", {"password": PASSWORD})
    filled = {name: value.format(billing=cast.billing.pk) for name, value in data.items()}
    body = urlencode({**filled, field: "HOSTILE"}).replace("HOSTILE", text)
    address = path.format(ticket=cast.ticket.get_absolute_url())
    answer = client.post(address, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (200, 201, 302, 400, 422)
    if "%00" in text:
        assert answer.status_code in (200, 422)
        assert "error" in answer.text or form == "sign-in"
