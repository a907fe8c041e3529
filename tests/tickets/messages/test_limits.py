"""Hostile messages: the output and the work of the parser are bounded, and the text can still be read."""

import pytest

from tests.tickets.messages.reading import read
from tickets.markdown import budget, render, rendering
from tickets.markdown.rendering import MAX_HTML
from tickets.models import MAX_MESSAGE


def full(unit: str) -> str:
    return (unit * (MAX_MESSAGE // len(unit) + 1))[:MAX_MESSAGE]


def table(columns: int, row: str) -> str:
    return "|".join("a" * columns) + "\n" + "|".join(["---"] * columns) + "\n" + row


NAMED = "](https://x.example/z)"  # the part of a link that is not shown
HOSTILE = {
    "reference definition": "[a]: /" + "b" * 25_000 + "\n\n" + "[a] " * 6000,
    "wide table": full(table(800, "a|b\n" * 11_000)),
    "many tables": full(table(30, "a|\n" * 150 + "\n")),
    "delimiter rows": full("---|---\n"),
    "table without end": full("a|b\n---|---\n"),
    "nested lists": "".join("  " * level + "- a\n" for level in range(220)),
    "nested pairs": "".join((" " * (2 * level) + "- a\n") * 2 for level in range(150)),
    "alternating lists": full("- a\n+ b\n"),
    "short lists": full("- a\n- a\n+ b\n+ b\n"),
    "numbered lists": full("1. a\n1) b\n"),
    "indented lines": "- a\n" + full(" x\n"),
    "quotes on one line": full(">"),
    "nested quotes": full("> > > > > > > > > > > > > > > > > > > > > > a\n"),
    "quotes without text": full("> -\n"),
    "prompts": full(">>> a\n"),
    "brackets": full("["),
    "open links": full("[a](https://x.example/("),
    "links": full("[a](https://x.example/z) "),
    "addresses": full("http://a.example "),
    "long address": "https://a.example/" + "()" * 24_000,
    "at signs": "mailto:" + "a@" * 20_000,
    "emphasis": full("*a "),
    "emphasis in emphasis": "*a " * 8000 + "a* " * 8000,
    "pairs": full("**a** _b_ ~~c~~ "),
    "crossed": full("*a_ _b* "),
    "asterisks": full("*"),
    "backticks": full("`a`b"),
    "backtick runs": "".join("`" * run + " a " for run in range(1, 300)),
    "open fences": full("```a\n"),
    "open fences in quotes": full("> ```a\n"),
    "fences of all lengths": "".join("`" * run + "\n" for run in range(310, 3, -1)),
    "lines": full("a\n"),
    "paragraphs": full("a\n\n"),
    "headings": full("## a\n\n"),
    "ampersands": full("&"),
    "tags": full("<b><i><table><tr>"),
    "quotation marks": full('"'),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_message_is_bounded(text, monkeypatch):
    html, steps = _steps(monkeypatch, text)
    assert len(html) <= MAX_HTML
    assert 0 < steps <= budget.MAX_STEPS + 1
    assert letters(read(html).replace(NAMED, "")) == letters(text.replace(NAMED, ""))


@pytest.mark.parametrize("length", [1000, 4000, 16_000])
def test_work_grows_linearly(length, monkeypatch):
    monkeypatch.setattr(budget, "MAX_STEPS", 10**9)
    for name, text in HOSTILE.items():
        assert _steps(monkeypatch, text[:length])[1] <= 2 * length, name


def test_deeply_nested_text_is_kept():
    for depth in (5, 13, 20, 60, 20_000):
        nested = "".join("  " * level + "- a\n" for level in range(min(depth, 150)))
        for text in (">" * depth + " end", "> " * depth + "end", nested + "  " * depth + "- end"):
            assert "end" in render(text)


def test_text_beyond_a_limit_is_plain_with_its_line_breaks():
    text = "<b>one</b>\n  two & three\n" + "*a " * 15_000
    assert render(text).startswith('<p dir="auto">&lt;b&gt;one&lt;/b&gt;<br>  two &amp; three<br>*a *a ')


def _steps(monkeypatch, text: str) -> tuple[str, int]:
    """Return the HTML of `text` and the number of steps that its parser took."""
    used: list[dict] = []
    parse = rendering._parser.render

    def remember(text: str, env: dict) -> str:
        used.append(env)
        return parse(text, env)

    with monkeypatch.context() as patched:
        patched.setattr(rendering._parser, "render", remember)
        return render(text), used[0]["steps"]


def letters(text: str) -> str:
    return "".join(char for char in text if char.isalpha())
