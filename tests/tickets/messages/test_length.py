"""Texts that are too long stay whole in every form, with a sentence that says so."""

import re

import pytest
from django.test import Client

from tests.support.cast import Cast
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Reply, Ticket

pytestmark = pytest.mark.django_db

TOO_LONG = ("x" * 59 + "\n") * 1000 + "end"  # 60,003 characters
SENTENCE = "This message is too long (60,003 characters). The limit is 50,000: shorten it or attach it as a file."


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_forms_keep_the_whole_text_and_say_that_it_is_too_long(cast: Cast, ending: str) -> None:
    casey, text = signed_in(cast.casey), TOO_LONG.replace("\n", ending)
    new = {"subject": "x", "content": text, "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    forms = {"/tickets/new/": new, f"{cast.ticket.get_absolute_url()}replies/": {"message": text}}
    for address, sent in forms.items():
        page = casey.post(address, sent)
        assert page.status_code == 422
        assert TOO_LONG in page.text.replace("\r\n", "\n")
        assert SENTENCE in page.text
    answer = casey.post(address, sent, headers={"accept": "application/json"})
    assert answer.json()["errors"] == {"message": [SENTENCE]}
    assert not Reply.objects.exists()
    assert Ticket.objects.count() == 1


def test_line_breaks_count_once(cast: Cast) -> None:
    text = "x\r\n" * (MAX_MESSAGE // 2 - 1) + "xx"
    casey = signed_in(cast.casey)
    assert casey.post(f"{cast.ticket.get_absolute_url()}replies/", {"message": text}).status_code == 302
    assert len(Reply.objects.get().message) == MAX_MESSAGE


def test_subject_is_not_cut(cast: Cast) -> None:
    subject = "s" * (MAX_SUBJECT + 50)
    new = {"subject": subject, "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    page = signed_in(cast.casey).post("/tickets/new/", new)
    assert subject in page.text
    assert "This text is too long (250 characters). The limit is 200." in page.text
    answer = signed_in(cast.bao).post(
        f"{cast.ticket.get_absolute_url()}change/", {"subject": subject}, headers={"accept": "application/json"}
    )
    assert answer.json()["errors"] == {"subject": ["This text is too long (250 characters). The limit is 200."]}


def test_no_field_of_a_ticket_is_cut_by_the_browser(cast: Cast) -> None:
    address = cast.ticket.get_absolute_url()
    pages = [
        signed_in(cast.casey).get("/tickets/new/"),
        signed_in(cast.bao).get(address),
        signed_in(cast.ada).get("/admin/tickets/ticket/add/"),
        signed_in(cast.ada).get(f"/admin/tickets/ticket/{cast.ticket.pk}/change/"),
    ]
    for page in pages:
        assert page.status_code == 200
        fields = re.findall(r"<(?:textarea|input)[^>]*name=\"(?:content|subject|[\w-]*message)\"[^>]*>", page.text)
        assert fields
        assert [field for field in fields if "maxlength" in field or "data-too-long" not in field] == []


def test_admin_keeps_the_whole_text(cast: Cast) -> None:
    sent = {"subject": "x", "content": TOO_LONG, "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    page = signed_in(cast.ada).post("/admin/tickets/ticket/add/", sent)
    assert page.status_code == 200
    assert TOO_LONG in page.text
    assert SENTENCE in page.text


def test_sentence_is_in_the_readers_language(cast: Cast) -> None:
    casey = signed_in(cast.casey)
    page = casey.post(
        f"{cast.ticket.get_absolute_url()}replies/", {"message": TOO_LONG}, headers={"accept-language": "de"}
    )
    assert "zu lang (60.003 Zeichen). Möglich sind 50.000" in page.text
    assert "zu lang ({length} Zeichen)" in page.text
