"""Markdown rendering: common syntax works, and no input becomes a script, a remote image or a harmful link."""

import pytest

from tickets.markdown import MAX_BARE_LINKS, render
from tickets.templatetags.desk import css_string


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** *soft* `code`", "<p><strong>bold</strong> <em>soft</em> <code>code</code></p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("~~gone~~ 🎉", "<p><s>gone</s> 🎉</p>\n"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert render(text) == html


def test_links_are_rendered_with_rel_attributes() -> None:
    html = render("see https://example.com/a?b=1&c=2 or [here](mailto:a@example.com)")
    assert '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">' in html
    assert 'href="mailto:a@example.com"' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
        "![x](https://spy.example/pixel.png)", "<a href='javascript:alert(1)'>x</a>", "[x](data:text/html,<script>)",
        "<style>*{display:none}</style>", "<iframe src=https://evil.example>",
        '[x](https://a.example "onmouseover=x")',
        "<svg/onload=alert(1)>", "`<b>`", "&lt;script&gt;", "[x]: javascript:alert(1)\n[x]",
        "<form action=https://evil.example><input name=password>", "<details open ontoggle=alert(1)>",
    ],
)  # fmt: skip
def test_harmful_markup_is_escaped(text: str) -> None:
    html = render(text).lower()
    for harm in (
        "<script",
        "<img",
        "<style",
        "<iframe",
        "<svg",
        "<form",
        "<details",
        'href="javascript',
        'href="data',
    ):
        assert harm not in html
    assert "onerror=" not in html.replace("onerror=alert(1)&gt;", "")


def test_too_many_bare_links_stay_text() -> None:
    many = "http://a.example " * (MAX_BARE_LINKS + 1)
    assert "<a" not in render(many)
    assert render("http://a.example " * MAX_BARE_LINKS).count("<a") == MAX_BARE_LINKS


@pytest.mark.parametrize("depth", [5, 13, 14, 15, 16, 25, 60, 20_000])
def test_deeply_nested_text_is_kept(depth: int) -> None:
    nested = "".join("  " * level + "- a\n" for level in range(min(depth, 150)))
    for text in (">" * depth + " end", "> " * depth + "end", nested + "  " * depth + "- end"):
        assert "end" in render(text)


def test_name_cannot_leave_its_css_string() -> None:
    assert css_string('a"}*{x') == '"a\\22 \\7d \\2a \\7b x"'
