"""Show original: the text of each message as typed, for the readers of the message."""

import pytest
from django.test import Client

from tests.support.cast import Cast
from tickets import services

pytestmark = pytest.mark.django_db

TEXTS = [
    "Thanks\n-- \nJohn",
    "  **bold** <b>&eacute;</b>\n\tvector<std::string>  2*3",
    "- a\n- b\n\n| c |\n|---|\n\n```\nd\n```",
    "مرحبا 请看 👍",
]


def original(user: object, address: str) -> str | int:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    if answer.status_code == 200:
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]
        assert client.head(address).status_code == 200
    return answer.text if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize("text", TEXTS)
def test_original_is_the_text_as_typed(cast: Cast, text: str) -> None:
    address = cast.ticket.get_absolute_url()
    reply = cast.reply(cast.casey, text)
    assert original(cast.bao, f"{address}replies/{reply.pk}/original/") == text
    ticket = services.open_ticket(by=cast.casey, subject="x", content=text, office=cast.billing)
    assert original(cast.casey, f"{ticket.get_absolute_url()}original/") == text


def test_original_of_a_note_is_for_staff(cast: Cast) -> None:
    note = cast.reply(cast.bao, "April is also unpaid", internal=True)
    address = f"{cast.ticket.get_absolute_url()}replies/{note.pk}/original/"
    assert original(cast.ada, address) == "April is also unpaid"
    assert original(cast.casey, address) == 404


def test_original_of_a_ticket_is_for_its_readers(cast: Cast) -> None:
    address = cast.ticket.get_absolute_url()
    reply = cast.reply(cast.casey, "secret")
    for path in (f"{address}original/", f"{address}replies/{reply.pk}/original/"):
        assert original(cast.fatima, path) == 404
        assert Client().get(path).status_code == 302


def test_page_links_each_original(cast: Cast, client: Client) -> None:
    replies = [cast.reply(cast.casey, text) for text in TEXTS]
    client.force_login(cast.casey)
    address = cast.ticket.get_absolute_url()
    page = client.get(address).text
    for path in ("original/", *(f"replies/{reply.pk}/original/" for reply in replies)):
        assert f'href="{address}{path}"' in page
