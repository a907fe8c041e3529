"""Messages: Markdown in, safe HTML out."""

import re

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}

# The parser leaves out what is nested deeper than this, so a line that might be is shown as it was typed.
MAX_NESTING = 40
TOO_DEEP = re.compile(r"^(?:[ \t]*(?:[>*+-]|\d+[.)])| {2}|\t){15}", re.MULTILINE)
MAX_BARE_LINKS = 200  # linkify-it takes time that grows with the square of their number


def render(text: str) -> SafeString:
    """Return `text` as HTML; only harmless tags, and links to http, https and mailto, come through."""
    clean = nh3.clean(
        _render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308  (nh3 let only harmless tags through)


def _render(text: str) -> str:
    if TOO_DEEP.search(text):
        return f"<pre>{escape(text)}</pre>"
    parser = _linking if text.count("://") <= MAX_BARE_LINKS else _plain
    return str(parser.render(text))


def _parser(*, linkify: bool) -> MarkdownIt:
    options = {"html": False, "linkify": linkify, "breaks": True, "maxNesting": MAX_NESTING}
    parser = MarkdownIt("commonmark", options)
    parser.enable(["table", "strikethrough", *(["linkify"] if linkify else [])])
    return parser.disable("image")  # a remote picture would tell a stranger who reads this, and when


_linking, _plain = _parser(linkify=True), _parser(linkify=False)
