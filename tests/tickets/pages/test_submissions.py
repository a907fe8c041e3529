"""A form that is sent again: the same once, another one refused with everything that was typed, then sent."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import services
from tickets.models import Attachment, Reply, Ticket

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def text_file(content: str = "one", name: str = "notes.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def casey(cast: Cast) -> Client:
    return signed_in(cast.casey)


@pytest.fixture
def form(cast: Cast) -> dict[str, Any]:
    return {
        "subject": "Late", "content": "It never came.", "office": cast.orders.pk,
        "priority": cast.ticket.priority_id, "key": str(uuid4()),
    }  # fmt: skip


def upload(client: Client, content: str = "one", name: str = "notes.txt") -> str:
    return client.post("/files/", {"file": text_file(content, name)}).json()["attachment"]["id"]


def key_in(page: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page)[1]


def kept_files(page: str) -> list[str]:
    return [value for value in re.findall(r'name="attachments" value="([^"]+)"', page) if value]


def opened() -> int:
    return Ticket.objects.filter(subject__startswith="Late").count()


CHANGES = {
    "subject": lambda cast: {"subject": "Late again"},
    "office": lambda cast: {"office": cast.billing.pk},
    "priority": lambda cast: {"priority": cast.priority("High").pk},
    "file": lambda cast: {"uploads": [text_file()]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_same_text_with_another_value_is_refused_and_kept(
    cast: Cast, casey: Client, form: dict[str, Any], change: str
) -> None:
    casey.post("/tickets/new/", form)
    again = form | CHANGES[change](cast)
    page = casey.post("/tickets/new/", again)
    reference = Ticket.objects.get(request_key=form["key"]).reference
    assert (page.status_code, opened()) == (409, 1)
    assert f"already sent this message as ticket {reference}" in page.text
    assert {
        name: str(page.context["form"][name].value()) for name in ("subject", "office", "priority", "content")
    } == {name: str(again[name]) for name in ("subject", "office", "priority", "content")}
    second = again | {"key": key_in(page.text), "attachments": kept_files(page.text)}
    second.pop("uploads", None)
    assert casey.post("/tickets/new/", second).status_code == 302
    ticket = Ticket.objects.get(request_key=second["key"])
    assert (ticket.subject, ticket.office_id, ticket.priority_id) == tuple(
        again[name] for name in ("subject", "office", "priority")
    )
    assert ticket.attachments.count() == len(again.get("uploads", ()))


@pytest.mark.parametrize("with_file", [False, True])
def test_same_form_opens_one_ticket(casey: Client, form: dict[str, Any], with_file: bool) -> None:
    answers = [
        casey.post("/tickets/new/", form | ({"uploads": [text_file()]} if with_file else {})) for _ in range(2)
    ]
    assert {answer.status_code for answer in answers} == {302}
    assert (opened(), len({answer["Location"] for answer in answers})) == (1, 1)


def test_change_by_staff_does_not_make_a_repeated_form_another_one(
    cast: Cast, casey: Client, form: dict[str, Any]
) -> None:
    casey.post("/tickets/new/", form)
    values = {"subject": "Late parcel", "office": cast.billing, "priority": cast.priority("High")}
    services.update_ticket(Ticket.objects.get(request_key=form["key"]), by=cast.ada, values=values)
    assert casey.post("/tickets/new/", form).status_code == 302
    assert opened() == 1


def test_ticket_from_before_fingerprints_counts_as_the_same(casey: Client, form: dict[str, Any]) -> None:
    casey.post("/tickets/new/", form)
    Ticket.objects.update(request_fingerprint=None)
    assert casey.post("/tickets/new/", form | {"subject": "Late again"}).status_code == 302
    assert opened() == 1


def test_another_text_is_another_ticket(casey: Client, form: dict[str, Any]) -> None:
    casey.post("/tickets/new/", form)
    casey.post("/tickets/new/", form | {"content": "It came."})
    assert opened() == 2


FILES = {
    "another file": (["one"], ["two"]),
    "one file more": (["one"], ["one", "two"]),
    "one file less": (["one", "two"], ["one"]),
    "a file where none was": ([], ["one"]),
    "no file where one was": (["one"], []),
    "another order": (["one", "two"], ["two", "one"]),
}


@pytest.mark.parametrize(("first", "second"), FILES.values(), ids=FILES)
@pytest.mark.parametrize("is_script", [True, False], ids=["script", "plain form"])
def test_same_reply_with_other_files_is_refused_and_kept(
    cast: Cast, casey: Client, first: list[str], second: list[str], is_script: bool
) -> None:
    address = f"/tickets/{cast.ticket.uuid}/replies/"
    ids = {content: upload(casey, content, f"{content}.txt") for content in {*first, *second}}
    body = {"message": "See the file", "key": str(uuid4())}
    headers = JSON if is_script else {}
    casey.post(address, body | {"attachments": [ids[name] for name in first]}, headers=headers)
    again = body | {"attachments": [ids[name] for name in second]}
    answer = casey.post(address, again, headers=headers)
    assert (answer.status_code, Reply.objects.count()) == (409, 1)
    assert "already sent this message, with different files" in answer.text
    if is_script:
        renewed = answer.json()
        kept = [renewed["copies"].get(name, name) for name in again["attachments"]]
        again |= {"key": renewed["key"], "attachments": kept}
    else:
        assert "See the file" in answer.text
        again |= {"key": key_in(answer.text), "attachments": kept_files(answer.text)}
    assert casey.post(address, again, headers=headers).status_code in (201, 302)
    sent = [[file.filename for file in reply.attachments.all()] for reply in Reply.objects.all()]
    assert sent == [[f"{name}.txt" for name in names] for names in (first, second)]


def test_copied_file_has_the_content_of_the_sent_one(cast: Cast, casey: Client) -> None:
    address = f"/tickets/{cast.ticket.uuid}/replies/"
    file, body = upload(casey, "what I saw"), {"message": "See the file", "key": str(uuid4())}
    casey.post(address, body | {"attachments": [file]}, headers=JSON)
    answer = casey.post(address, body | {"attachments": [file, upload(casey, "two")]}, headers=JSON).json()
    copied = Attachment.objects.get(pk=answer["copies"][file])
    with copied.file.open("rb") as content:
        assert content.read() == b"what I saw"
    assert copied.file.name != Attachment.objects.get(pk=file).file.name


@pytest.mark.parametrize("is_script", [True, False])
def test_same_reply_with_the_same_files_is_sent_once(cast: Cast, casey: Client, is_script: bool) -> None:
    address, headers = f"/tickets/{cast.ticket.uuid}/replies/", JSON if is_script else {}
    body = {"message": "See the file", "key": str(uuid4()), "attachments": [upload(casey)]}
    assert {casey.post(address, body, headers=headers).status_code for _ in range(2)} == {201 if is_script else 302}
    assert (Reply.objects.count(), Attachment.objects.count()) == (1, 1)


def test_key_of_another_user_is_no_earlier_submission(cast: Cast, form: dict[str, Any]) -> None:
    signed_in(cast.casey).post("/tickets/new/", form)
    assert signed_in(cast.greta).post("/tickets/new/", form | {"subject": "Late again"}).status_code == 302
    assert opened() == 2


def test_key_in_one_ticket_is_no_earlier_submission_in_another(cast: Cast, casey: Client) -> None:
    other = services.open_ticket(by=cast.casey, subject="Other", content="x", office=cast.orders)
    body = {"message": "See the file", "key": str(uuid4())}
    casey.post(f"/tickets/{cast.ticket.uuid}/replies/", body)
    assert casey.post(f"/tickets/{other.uuid}/replies/", body | {"uploads": [text_file()]}).status_code == 302
    assert Reply.objects.count() == 2
