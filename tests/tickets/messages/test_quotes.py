"""Quotes in the form of a reply, for pages without scripts."""

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import drafts
from tickets.views.quotes import quoted

pytestmark = pytest.mark.django_db


def form(user: User, cast: Cast, key: object) -> tuple[str, bool]:
    """Return the text of the form and whether it is a note."""
    client = Client()
    client.force_login(user)
    shown = client.get(f"{cast.ticket.get_absolute_url()}?quote={key}").context["form"]
    return shown["message"].value() or "", bool(shown["internal"].value()) if "internal" in shown.fields else False


def test_quote_marks_each_line() -> None:
    assert quoted("One\n\n  two") == "> One\n>\n>   two\n\n"


def test_reply_and_opening_message_are_quoted(cast: Cast) -> None:
    reply = cast.reply(cast.bao, "Which **two**?")
    assert form(cast.casey, cast, reply.pk) == ("> Which **two**?\n\n", False)
    assert form(cast.casey, cast, "opening") == (quoted(cast.ticket.content), False)


def test_note_is_quoted_in_a_note_and_for_staff_only(cast: Cast) -> None:
    note = cast.reply(cast.bao, "Secret", internal=True)
    assert form(cast.dana, cast, note.pk) == ("> Secret\n\n", True)
    assert form(cast.casey, cast, note.pk) == ("", False)


def test_unknown_key_quotes_nothing(cast: Cast) -> None:
    assert form(cast.casey, cast, "nonsense") == form(cast.casey, cast, cast.casey.pk) == ("", False)


def test_quote_comes_after_the_draft(cast: Cast) -> None:
    reply = cast.reply(cast.bao, "Which two?")
    drafts.save_draft(drafts.Content("Hello"), by=cast.casey, ticket=cast.ticket, base=0)
    assert form(cast.casey, cast, reply.pk) == ("Hello\n\n> Which two?\n\n", False)
