"""The passage that the list shows of a message that was found, with the hits marked."""

import re
from html import unescape

import pytest
from django.test import Client

from tests.support.cast import Cast
from tickets import services
from tickets.models import Reply


def shown(cast: Cast, name: str, query: str) -> list[str]:
    """Return the snippets of the list, with [hits] in brackets."""
    client = Client()
    client.force_login(getattr(cast, name))
    page = client.get("/tickets/", {"q": query, "status": "all"}).text
    found = re.findall(r'<p class="snippet" dir="auto">(.*?)</p>', page, re.DOTALL)
    marked = [text.replace("<mark>", "[").replace("</mark>", "]") for text in found]
    return [unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in marked]


@pytest.mark.parametrize(
    ("message", "query", "passage"),
    [
        ("Please see invoice INV-4711, thanks", "4711", "Please see invoice INV-[4711], thanks"),
        ("Herr M\u00fcller rief an", "muller", "Herr [M\u00fcller] rief an"),
        ("Herr Mu\u0308ller rief an", "M\u00dcLLER", "Herr [Mu\u0308ller] rief an"),
        ("Die Stra\u00dfe bleibt gesperrt", "strasse", "Die [Stra\u00dfe] bleibt gesperrt"),
        ("\u6771\u4eac\u90fd\u306b\u4f4f\u3080", "\u4eac\u90fd", "\u6771[\u4eac\u90fd]\u306b\u4f4f\u3080"),
        ("red\n\ncup, and a cup", '"red cup"', "[red cup], and a cup"),
        ("one two one", "one two", "[one] [two] [one]"),
        ("<b>bold</b> & brash", "brash", "<b>bold</b> & [brash]"),
        ("it is a catalogue of cats", "ca", "it is a [ca]talogue of [ca]ts"),
        ("scathing, not a cat", "ca", "scathing, not a [ca]t"),
        ("\ufb01nance", "finance", "[\ufb01nance]"),
    ],
)
def test_hits_are_marked_as_they_were_typed(cast: Cast, message: str, query: str, passage: str) -> None:
    cast.reply(cast.bao, message)
    for name in ("bao", "casey"):
        assert shown(cast, name, query) == [passage]


def test_passage_is_short_and_says_what_is_left_out(cast: Cast) -> None:
    cast.reply(cast.bao, "before " * 400 + "needle " + "after " * 400)
    (passage,) = shown(cast, "casey", "needle")
    assert re.fullmatch(r"\u2026 (before )+\[needle\]( after)+ \u2026", passage)
    assert len(passage) < 220


def test_latest_message_is_shown_and_no_passage_of_what_the_row_shows(cast: Cast) -> None:
    cast.reply(cast.bao, "first refund")
    cast.reply(cast.bao, "second refund")
    assert shown(cast, "casey", "refund") == ["second [refund]"]
    assert shown(cast, "casey", "twice") == []
    assert shown(cast, "casey", "two charges") == ["[Two] [charges] for *May*."]
    assert shown(cast, "bao", "casey@example.com") == []


def test_notes_are_shown_to_staff_only(cast: Cast) -> None:
    cast.reply(cast.bao, "public walrus")
    cast.reply(cast.bao, "secret walrus", internal=True)
    assert shown(cast, "bao", "walrus") == ["Internal note secret [walrus]"]
    assert shown(cast, "casey", "walrus") == ["public [walrus]"]
    services.change_visibility(Reply.objects.get(message="public walrus"), by=cast.bao, internal=True)
    assert shown(cast, "casey", "walrus") == []


@pytest.mark.parametrize(
    "message", ["\U0001f469\u200d\U0001f4bb walrus", "x" * 5000 + " walrus", "walrus" + "\u0301" * 900]
)
def test_unusual_text_has_a_bounded_passage(cast: Cast, message: str) -> None:
    cast.reply(cast.bao, message)
    (passage,) = shown(cast, "casey", "walrus")
    assert "walrus" in passage.replace("[", "").replace("]", "")
    assert len(passage) < 1200
