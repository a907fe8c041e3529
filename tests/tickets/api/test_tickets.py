"""The API of tickets."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from realtime.channels import Audience
from tests.support.api_client import API, ApiClient
from tests.support.cast import Cast
from tests.tickets.files.test_files import PNG
from tickets import payloads, services
from tickets.models import Attachment, IdempotencyKey, Reply, Ticket

pytestmark = pytest.mark.django_db
LATE = {"subject": "Late", "content": "Where is *it*?", "office": "Orders"}


def address(ticket: Ticket, more: str = "") -> str:
    return f"tickets/{ticket.uuid}/{more}"


def problems(response: Any) -> dict[str, str]:
    """Return the locations and codes of the errors."""
    assert response["Content-Type"] == "application/problem+json"
    return {
        error.get("pointer") or error.get("parameter") or error["header"]: error["code"]
        for error in response.json()["errors"]
    }


def code(response: Any) -> tuple[int, str]:
    body = response.json()
    assert body["status"] == response.status_code
    return response.status_code, body["code"]


# Opening, reading, changing


def test_opened_ticket_can_be_read(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    made = casey.post("tickets/", LATE)
    assert made.status_code == 201
    ticket = Ticket.objects.get(subject="Late")
    assert (ticket.creator, ticket.office, ticket.content) == (cast.casey, cast.orders, "Where is *it*?")
    read = casey.get(made["Location"])
    assert read.json() == made.json()
    assert read.json()["content_html"] == '<p dir="auto">Where is <em>it</em>?</p>'


def test_ticket_has_the_fields_of_live_events(cast: Cast) -> None:
    for user, audience in ((cast.bao, "staff"), (cast.casey, "public")):
        shown = ApiClient(user).get(address(cast.ticket)).json()
        expected = payloads.ticket_payload(cast.ticket, Audience(audience))
        same = [name for name in expected if name != "url" and not name.endswith("_at")]
        assert shown["html_url"] == f"http://testserver{expected['url']}"
        assert shown["url"] == f"http://testserver{API}/{address(cast.ticket)}"
        assert {name: shown[name] for name in same} == {name: expected[name] for name in same}
        assert (shown["audience"], shown["seq"], shown["channel"]) == (audience, 1, cast.ticket.channel)


@pytest.mark.parametrize("way", ["name", "id"])
def test_choices_are_accepted_by_name_or_id(cast: Cast, way: str) -> None:
    rows = {"status": cast.status("On Hold"), "priority": cast.priority("High"), "office": cast.orders}
    changes: dict[str, Any] = {name: row.name if way == "name" else row.pk for name, row in rows.items()}
    changes |= {"assigned_to": str(cast.bao.pk), "subject": "Charged thrice"}
    answer = ApiClient(cast.bao).patch(address(cast.ticket), changes)
    assert answer.status_code == 200
    ticket = Ticket.objects.get(pk=cast.ticket.pk)
    assert {name: getattr(ticket, name) for name in rows} == rows
    assert (ticket.assigned_to, ticket.subject) == (cast.bao, "Charged thrice")
    assert answer.json()["assigned_to"] == {"id": str(cast.bao.pk), "name": "Bao Nguyen"}


def test_null_removes_the_assignee(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana})
    assert ApiClient(cast.bao).patch(address(cast.ticket), {"assigned_to": None}).json()["assigned_to"] is None


def test_change_that_ends_access_says_so(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    answer = bao.patch(address(cast.ticket), {"office": "Orders", "status": "Closed"})
    detail = "Changed. You no longer have access to this ticket."
    lost = {"uuid": str(cast.ticket.uuid), "is_visible": False, "detail": detail}
    assert (answer.status_code, answer.json()) == (200, lost)
    assert bao.get(address(cast.ticket)).status_code == 404


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"#/subject": "required", "#/content": "required", "#/office": "required"}),
        (LATE | {"subject": " \n"}, {"#/subject": "blank"}),
        (LATE | {"subject": 5}, {"#/subject": "invalid"}),
        (LATE | {"subject": "x" * 201}, {"#/subject": "max_length"}),
        (LATE | {"content": "a\x00b"}, {"#/content": "null_characters_not_allowed"}),
        (LATE | {"content": "\ud800"}, {"#/content": "surrogate_characters_not_allowed"}),
        (LATE | {"office": "Nowhere"}, {"#/office": "does_not_exist"}),
        (LATE | {"office": True}, {"#/office": "invalid"}),
        (LATE | {"office": 10**30}, {"#/office": "does_not_exist"}),
        (LATE | {"prioritiy": "High"}, {"#/prioritiy": "unknown"}),
        (LATE | {"a/b~": 1}, {"#/a~1b~0": "unknown"}),
        (LATE | {"attachments": ["x"]}, {"#/attachments/0": "invalid"}),
        (LATE | {"attachments": [str(uuid4())]}, {"#/attachments/0": "does_not_exist"}),
        (LATE | {"attachments": [str(uuid4())] * 6}, {"#/attachments": "max_length"}),
        ([], {"#": "invalid"}),
        ("x", {"#": "invalid"}),
    ],
)
def test_validation_errors_name_their_fields(cast: Cast, body: Any, wrong: dict[str, str]) -> None:
    answer = ApiClient(cast.casey).post("tickets/", json.dumps(body))
    assert answer.status_code == 422
    found = problems(answer)
    assert wrong.items() <= found.items()
    assert not Ticket.objects.filter(creator=cast.casey, subject="Late").exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400), (b"NaN", 400), (b" " * (1024**2 + 1), 413)],
    ids=["cut off", "not UTF-8", "deep", "not a number", "large"],
)
def test_invalid_json_is_rejected(cast: Cast, body: bytes, status: int) -> None:
    assert ApiClient(cast.casey).post("tickets/", body).status_code == status


def test_unsupported_content_type_is_rejected(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    answer = casey.client.post("/api/v1/tickets/", LATE, headers=casey.headers)
    assert code(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("path", "status"), [("tickets", 404), ("nowhere/", 404), ("tickets/x/", 404)])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_api_url_returns_a_problem(method: str, path: str, status: int) -> None:
    assert code(ApiClient().ask(method, path)) == (status, "not_found")


def test_server_error_returns_a_problem(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("No disk")

    monkeypatch.setattr("tickets.services.open_ticket", breaks)
    answer = ApiClient(cast.casey).post("tickets/", LATE)
    assert code(answer) == (500, "server_error")
    assert "No disk" not in answer.text


def test_responses_are_not_cached(cast: Cast) -> None:
    assert ApiClient(cast.casey).get("tickets/")["Cache-Control"] == "private, no-store"


# Authentication


def test_session_writes_require_a_csrf_token(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.casey)
    assert browser.get("/api/v1/me/").json()["name"] == "Casey Rivers"
    body = {"data": LATE, "content_type": "application/json"}
    assert browser.post("/api/v1/tickets/", **body).status_code == 403
    assert not Ticket.objects.filter(subject="Late").exists()
    token = "a" * 32
    browser.cookies["csrftoken"] = token
    assert browser.post("/api/v1/tickets/", **body, headers={"X-CSRFToken": token}).status_code == 201


def test_token_needs_no_csrf_token(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    headers = ApiClient(cast.casey).headers
    answer = browser.post("/api/v1/tickets/", LATE, content_type="application/json", headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer " + "0" * 64, "Bearer é", "Basic eDp5", "Token x"])
def test_invalid_credentials_return_401(cast: Cast, header: str) -> None:
    answer = Client().get("/api/v1/me/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_invalid_token_beside_a_session_returns_401(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.casey)
    assert browser.get("/api/v1/me/", headers={"Authorization": "Bearer x"}).status_code == 401


def test_date_filters_use_the_users_time_zone(cast: Cast) -> None:
    User.objects.filter(pk=cast.casey.pk).update(time_zone="Pacific/Kiritimati")  # UTC+14
    Ticket.objects.update(created_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    casey = ApiClient(cast.casey)
    assert casey.get("tickets/?created_from=2026-03-02").json()["results"]
    assert not casey.get("tickets/?created_to=2026-03-01").json()["results"]


def test_errors_use_the_users_language(cast: Cast) -> None:
    User.objects.filter(pk=cast.casey.pk).update(language="de")
    body = ApiClient(cast.casey).post("tickets/", LATE | {"subject": ""}).json()
    assert body["errors"][0]["detail"] == "Dieses Feld darf nicht leer sein."  # codespell:ignore feld


@pytest.mark.parametrize("path", ["views/", "tickets/{}/links/", "tags/", "tickets/{}/participants/"])
def test_body_that_is_no_object_is_refused_in_the_users_language(cast: Cast, path: str) -> None:
    User.objects.filter(pk=cast.ada.pk).update(language="de")
    answer = ApiClient(cast.ada).post(path.format(cast.ticket.uuid), ["x"])
    assert answer.status_code == 422
    assert "Der Inhalt muss ein JSON-Objekt sein." in answer.text  # codespell:ignore objekt


# Versions


def test_concurrent_changes_of_one_version_give_one_412(cast: Cast) -> None:
    bao, dana = ApiClient(cast.bao), ApiClient(cast.dana)
    tags = [program.get(address(cast.ticket))["ETag"] for program in (bao, dana)]
    won = bao.patch(address(cast.ticket), {"status": "On Hold"}, If_Match=tags[0])
    lost = dana.patch(address(cast.ticket), {"priority": "High"}, If_Match=tags[1])
    assert won.status_code == 200
    assert code(lost) == (412, "version_outdated")
    ticket = Ticket.objects.get(pk=cast.ticket.pk)
    assert (ticket.status.name, ticket.priority.name) == ("On Hold", "Medium")
    assert dana.patch(address(ticket), {"priority": "High"}, If_Match=won["ETag"]).status_code == 200


def test_two_clients_of_one_user_do_not_overwrite_each_other(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    tag = bao.get(address(cast.ticket))["ETag"]
    statuses = [bao.patch(address(cast.ticket), {"status": s}, If_Match=tag).status_code for s in ("Closed", "Open")]
    assert statuses == [200, 412]


def test_change_without_if_match_applies_to_any_version(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    assert bao.patch(address(cast.ticket), {"status": "On Hold"}).status_code == 200
    assert bao.patch(address(cast.ticket), {"status": "Closed"}).status_code == 200
    assert Ticket.objects.get(pk=cast.ticket.pk).status.name == "Closed"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"1"', 200),
        ('"7", "1"', 200),
        ("*", 200),
        ('W/"1"', 412),
        ('"x"', 412),
        ('"01x"', 412),
        ("1", 200),
        ("7, 1", 200),
        (' "1" ', 200),
        ("7", 412),
        ("0", 412),
        ("W/1", 412),
        ('"1', 200),
        ("x", 412),
        ('*, "7"', 412),
        ("", 200),
    ],
)
def test_only_a_strong_tag_of_the_current_version_matches(cast: Cast, header: str, status: int) -> None:
    answer = ApiClient(cast.bao).patch(address(cast.ticket), {"status": "Closed"}, If_Match=header)
    assert answer.status_code == status


def test_note_does_not_change_the_version(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    before = bao.get(address(cast.ticket))["ETag"]
    bao.post(address(cast.ticket, "replies/"), {"message": "Hm", "is_internal": True})
    assert bao.get(address(cast.ticket))["ETag"] == before


def test_partly_invalid_change_changes_nothing(cast: Cast) -> None:
    changes = {"status": "Closed", "assigned_to": str(cast.casey.pk)}
    answer = ApiClient(cast.bao).patch(address(cast.ticket), changes)
    assert (answer.status_code, problems(answer)) == (422, {"#/assigned_to": "does_not_exist"})
    assert Ticket.objects.get(pk=cast.ticket.pk).status.name == "Open"


# Idempotency-Key


@pytest.mark.parametrize("what", ["ticket", "reply", "file"])
def test_repeated_request_returns_the_first_result(cast: Cast, what: str) -> None:
    casey, key = ApiClient(cast.casey), str(uuid4())
    rows = {"ticket": Ticket, "reply": Reply, "file": Attachment}[what].objects

    def send() -> Any:
        if what == "ticket":
            return casey.post("tickets/", LATE, Idempotency_Key=key)
        if what == "reply":
            return casey.post(address(cast.ticket, "replies/"), {"message": "Hello"}, Idempotency_Key=key)
        return casey.upload(SimpleUploadedFile("bill.png", PNG), **{"Idempotency-Key": key})

    before, first, second = rows.count(), send(), send()
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json(), first["Location"]) == (second.json(), second["Location"])
    assert ("Idempotency-Replayed" in first, "Idempotency-Replayed" in second) == (False, True)
    assert rows.count() == before + 1


def test_repeated_reply_with_files_returns_the_first_result(cast: Cast) -> None:
    casey, key = ApiClient(cast.casey), str(uuid4())
    file = casey.upload(SimpleUploadedFile("bill.png", PNG)).json()
    body = {"message": "Here", "attachments": [file["id"]]}
    answers = [casey.post(address(cast.ticket, "replies/"), body, Idempotency_Key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["attachments"] == answers[1].json()["attachments"] == [file]


def test_reused_key_with_another_body_is_rejected(cast: Cast) -> None:
    casey, key = ApiClient(cast.casey), "my-key"
    casey.post("tickets/", LATE, Idempotency_Key=key)
    assert code(casey.post("tickets/", LATE | {"subject": "Later"}, Idempotency_Key=key)) == (409, "key_reused")
    elsewhere = casey.post(address(cast.ticket, "replies/"), {"message": "Hello"}, Idempotency_Key=key)
    assert code(elsewhere) == (409, "key_reused")
    assert (Ticket.objects.filter(creator=cast.casey).count(), Reply.objects.count()) == (2, 0)


def test_idempotency_keys_are_per_user(cast: Cast) -> None:
    for user in (cast.casey, cast.greta):
        assert ApiClient(user).post("tickets/", LATE, Idempotency_Key="1").status_code == 201
    assert Ticket.objects.filter(subject="Late").count() == 2


def test_failed_request_leaves_its_key_unused(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    assert casey.post("tickets/", LATE | {"office": "Nowhere"}, Idempotency_Key="1").status_code == 422
    assert casey.post("tickets/", LATE, Idempotency_Key="1").status_code == 201


def test_deleted_result_is_not_created_again(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    path = address(cast.ticket, "replies/")
    casey.post(path, {"message": "Hello"}, Idempotency_Key="1")
    services.delete_reply(Reply.objects.get(), by=cast.ada)
    assert code(casey.post(path, {"message": "Hello"}, Idempotency_Key="1")) == (410, "gone")


def test_key_expires_after_a_day(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    casey.post("tickets/", LATE, Idempotency_Key="1")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    casey.post("tickets/", LATE, Idempotency_Key="1")
    assert Ticket.objects.filter(subject="Late").count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é"])
def test_invalid_key_is_rejected(cast: Cast, key: str) -> None:
    answer = ApiClient(cast.casey).post("tickets/", LATE, Idempotency_Key=key)
    assert (answer.status_code, problems(answer)) == (400, {"Idempotency-Key": "bad_request"})


# Lists


def subjects(answer: Any) -> list[str]:
    return [ticket["subject"] for ticket in answer.json()["results"]]


def several(cast: Cast, number: int) -> None:
    for count in range(number):
        services.open_ticket(by=cast.casey, subject=f"T{count}", content="x", office=cast.billing)


def test_pages_link_forward_and_back(cast: Cast) -> None:
    several(cast, 4)
    bao = ApiClient(cast.bao)
    first = bao.get("tickets/?size=2&sort=created")
    second = bao.get(first.json()["next"])
    third = bao.get(second.json()["next"])
    assert [subjects(page) for page in (first, second, third)] == [["Charged twice", "T0"], ["T1", "T2"], ["T3"]]
    assert (first.json()["previous"], third.json()["next"]) == (None, None)
    assert subjects(bao.get(third.json()["previous"])) == ["T1", "T2"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=twice", ["Charged twice"]),
        ("status=closed", ["Done"]),
        ("status=all&sort=created", ["Charged twice", "Done", "Elsewhere"]),
        ("assignee=me", ["Elsewhere"]),
        ("assignee=me&assignee=none&sort=created", ["Charged twice", "Done", "Elsewhere"]),
        ("status=closed&status=open&assignee=none&sort=created", ["Charged twice", "Done"]),
        ("office=Orders&office=Billing&status=closed", ["Done"]),
        ("created_from=2999-01-01", []),
    ],
)
def test_filters_match_those_of_the_page(cast: Cast, query: str, found: list[str]) -> None:
    done = services.open_ticket(by=cast.casey, subject="Done", content="x", office=cast.billing)
    services.update_ticket(done, by=cast.bao, values={"status": cast.status("Closed")})
    other = services.open_ticket(by=cast.greta, subject="Elsewhere", content="x", office=cast.orders)
    services.update_ticket(other, by=cast.emil, values={"assigned_to": cast.bao})
    assert subjects(ApiClient(cast.bao).get(f"tickets/?{query}")) == found


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("page=2", "page"), ("status=nowhere", "status"), ("status=", "status"),
        ("sort=created&sort=updated", "sort"), ("status=closed&status=", "status"),
        ("size=0", "size"), ("size=101", "size"), ("size=x", "size"),
        ("after=x", "after"), ("before=x", "before"),
        ("after=x&before=y", "before"), ("created_from=yesterday", "created_from"), ("q=%00", "q"),
        ("created_from=2026-03-02&created_to=2026-03-01", "created_to"), ("sort=name", "sort"),
    ],
)  # fmt: skip
def test_invalid_parameter_is_rejected(cast: Cast, query: str, wrong: str) -> None:
    answer = ApiClient(cast.bao).get(f"tickets/?{query}")
    assert answer.status_code == 400
    assert wrong in problems(answer)


def test_cursor_of_another_order_is_rejected(cast: Cast) -> None:
    several(cast, 2)
    bao = ApiClient(cast.bao)
    after = bao.get("tickets/?size=1&sort=created").json()["next"].partition("after=")[2].partition("&")[0]
    assert problems(bao.get(f"tickets/?size=1&after={after}")) == {"after": "bad_request"}


@pytest.mark.parametrize("query", ["assignee=me", "office=1", "priority=1", "sort=-priority"])
def test_customers_cannot_use_staff_filters(cast: Cast, query: str) -> None:
    assert ApiClient(cast.casey).get(f"tickets/?{query}").status_code == 400


@pytest.mark.parametrize("what", ["replies", "timeline"])
def test_long_conversation_is_paginated(cast: Cast, what: str) -> None:
    for number in range(5):
        cast.reply(cast.casey, f"R{number}")
    bao, seen, path = ApiClient(cast.bao), [], address(cast.ticket, f"{what}/?size=2")
    while path:
        page = bao.get(path).json()
        seen += page["results"]
        path = page["next"]
    whole = bao.get(address(cast.ticket, f"{what}/")).json()
    assert (seen, whole["next"]) == (whole["results"], None)


def test_cursor_of_another_ticket_is_rejected(cast: Cast) -> None:
    other = services.open_ticket(by=cast.casey, subject="Other", content="x", office=cast.billing)
    for number in range(2):
        cast.reply(cast.casey, f"R{number}")
    casey = ApiClient(cast.casey)
    after = casey.get(address(cast.ticket, "replies/?size=1")).json()["next"].partition("after=")[2]
    assert problems(casey.get(address(other, f"replies/?after={after}"))) == {"after": "bad_request"}
    assert casey.get(address(cast.ticket, f"timeline/?after={after}")).status_code == 400


# Files


def test_sent_file_is_readable_like_its_message(cast: Cast) -> None:
    bao, casey, greta = ApiClient(cast.bao), ApiClient(cast.casey), ApiClient(cast.greta)
    file = bao.upload(SimpleUploadedFile("bill.png", PNG)).json()
    assert casey.get(file["url"]).status_code == 404
    reply = bao.post(address(cast.ticket, "replies/"), {"message": "Here", "attachments": [file["id"]]}).json()
    assert reply["attachments"] == [file]
    answer = casey.get(file["url"])
    assert b"".join(answer.streaming_content) == PNG
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    answer.close()
    assert greta.get(file["url"]).status_code == 404


def test_unacceptable_file_is_rejected(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    answer = casey.upload(SimpleUploadedFile("page.png", b"<script>alert(1)</script>"))
    assert (answer.status_code, problems(answer)) == (422, {"#/file": "invalid"})
    assert casey.upload("no file").status_code == 422
    large = casey.upload(SimpleUploadedFile("large.txt", b"x" * (11 * 1024**2)))
    assert "larger than 10 MB" in large.json()["detail"]
    assert not Attachment.objects.exists()


def test_only_unsent_files_can_be_discarded(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    kept, sent = (casey.upload(SimpleUploadedFile("bill.png", PNG)).json()["id"] for _ in range(2))
    casey.post(address(cast.ticket, "replies/"), {"message": "Here", "attachments": [sent]})
    assert casey.ask("DELETE", f"attachments/{kept}/").status_code == 204
    assert casey.ask("DELETE", f"attachments/{sent}/").status_code == 403
    assert casey.ask("DELETE", f"attachments/{kept}/").status_code == 404
    assert [str(row.pk) for row in Attachment.objects.all()] == [sent]
