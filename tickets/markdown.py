"""Render messages: Markdown to sanitised HTML."""

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

# The parser drops content that is nested deeper, so text that might be is shown as plain text.
MAX_NESTING = 40
TOO_DEEP = re.compile(r"^(?:[ \t]*(?:[>*+-]|\d+[.)])| {2}|\t){15}", re.MULTILINE)
MAX_BARE_LINKS = 200  # linkify-it takes quadratic time


def render(text: str) -> SafeString:
    """Return `text` as HTML with allowed tags and with http, https and mailto links only."""
    clean = nh3.clean(
        _render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308  (sanitised by nh3)


def _render(text: str) -> str:
    if TOO_DEEP.search(text):
        return f"<pre>{escape(text)}</pre>"
    parser = _linking if text.count("://") <= MAX_BARE_LINKS else _plain
    return str(parser.render(text))


def _parser(*, linkify: bool) -> MarkdownIt:
    options = {"html": False, "linkify": linkify, "breaks": True, "maxNesting": MAX_NESTING}
    parser = MarkdownIt("commonmark", options)
    parser.enable(["table", "strikethrough", *(["linkify"] if linkify else [])])
    return parser.disable("image")  # a remote image would reveal to its server who reads this, and when


_linking, _plain = _parser(linkify=True), _parser(linkify=False)
