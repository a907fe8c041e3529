"""Parse a message and write its HTML, within bounds."""

from collections.abc import Sequence
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from tickets.markdown import blocks, inlines
from tickets.markdown.budget import TooComplex

# Increment when the HTML of a message changes, and re-render the stored messages (manage.py render_messages).
RENDERER_VERSION = 2
MAX_HTML = 300_000  # characters; plain text of the longest message takes at most 250,000
MAX_EMPHASIS = 50  # elements in each other

TAGS = {
    "p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "li": {"value", "dir"}} | {
    tag: {"dir"} for tag in ("p", "h4", "h5", "h6", "th", "td")
}
OWN_DIRECTION = {"paragraph_open", "heading_open", "list_item_open", "th_open", "td_open"}


def render(text: str) -> SafeString:
    """Return `text` as HTML with allowed tags and with http, https and mailto links only.

    Text that is too complex, or whose HTML would be too long, is returned as plain text with line breaks.
    """
    return mark_safe(_marked_up(text) or _sanitized(_plain(text)))  # noqa: S308  (sanitised by nh3)


def _marked_up(text: str) -> str:
    """Return the HTML, or nothing if a limit is exceeded."""
    try:
        html = _sanitized(_parser.render(text, {}))
    except TooComplex:
        return ""
    return html if len(html) <= MAX_HTML else ""


def _sanitized(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _plain(text: str) -> str:
    lines = escape(text.replace("\r\n", "\n")).replace("\n", "<br>")
    return f'<p dir="auto">{lines}</p>'


class _Renderer(RendererHTML):
    """Writes no line breaks between blocks: the page keeps white space (`white-space: pre-wrap`)."""

    def renderToken(  # noqa: N802  (the library's name)
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        token = tokens[idx]
        if token.hidden:
            return ""
        return f"<{'/' if token.nesting == -1 else ''}{token.tag}{self.renderAttrs(token)}>"

    def hardbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "<br>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<pre><code>{escape(tokens[idx].content)}</code></pre>"


def _set_directions(state: StateCore) -> None:
    """Give each paragraph, item and cell its own direction. An item takes that of its first paragraph."""
    before = ""
    for token in state.tokens:
        if token.type in OWN_DIRECTION and (before, token.type) != ("list_item_open", "paragraph_open"):
            token.attrSet("dir", "auto")
        before = token.type


def _number_items(state: StateCore) -> None:
    """Keep the numbers of list items as typed: "2." and "5." are answers to questions 2 and 5."""
    expected: list[int] = []
    for token in state.tokens:
        if token.type == "ordered_list_open":
            expected.append(int(token.attrs.get("start", 1)))
        elif token.type == "ordered_list_close":
            expected.pop()
        elif token.type == "list_item_open" and token.info:
            number = int(token.info)
            if number != expected[-1]:
                token.attrSet("value", str(number))
            expected[-1] = number + 1


def _limit_emphasis(state: StateCore) -> None:
    """Raise TooComplex if emphasis is nested too deeply."""
    if any(child.level > MAX_EMPHASIS for token in state.tokens for child in token.children or ()):
        raise TooComplex


def _new_parser() -> MarkdownIt:
    options: Any = {"html": False, "maxNesting": 1000}
    parser = MarkdownIt("commonmark", options, renderer_cls=_Renderer)
    blocks.install(parser)
    inlines.install(parser)
    for rule in (_set_directions, _number_items, _limit_emphasis):
        parser.core.ruler.push(rule.__name__, rule)
    return parser


_parser = _new_parser()
