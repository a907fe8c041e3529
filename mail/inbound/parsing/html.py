"""HTML: sanitised for display in a frame of its own, and as text."""

import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

import nh3

MAX_HTML: Final = 2_000_000  # characters that are read
BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
PARAGRAPHS: Final = frozenset(["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"])
TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "big",
        "blockquote",
        "br",
        "center",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
    ]
)
ATTRIBUTES: Final = {
    "*": {"align", "dir", "lang", "valign"},
    "a": {"href"},
    "img": {"alt", "src", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
    "font": {"color"},
}
VOID: Final = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "li",
        "link",
        "meta",
        "option",
        "p",
        "param",
        "source",
        "td",
        "th",
        "tr",
        "wbr",
    ]
)
TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
MAX_NESTED: Final = 300  # elements in each other; the sanitiser's time grows with their square
MAX_TAGS: Final = 100_000
MAX_REFERENCES: Final = 30_000  # of characters, such as &nbsp;
DROPPED: Final = {"head", "script", "style", "title", "noscript", "template", "svg", "math", "iframe", "object"}


def sanitized(html: str) -> str:
    """Return HTML without scripts, styles, forms and pictures of other servers, which would show that it was read.

    HTML that is nested too deeply loses all of its elements.
    """
    html = html[:MAX_HTML]
    if _is_too_complex(html):
        return f"<pre>{escape(_without_tags(html))}</pre>"
    return nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags=DROPPED,
        attributes=ATTRIBUTES,
        attribute_filter=_only_own_pictures,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
    )


def _is_too_complex(html: str) -> bool:
    """Return whether elements that need an end tag are nested too deeply; the others end by themselves."""
    if html.count("&") > MAX_REFERENCES:
        return True
    depth = 0
    for tags, match in enumerate(TAG.finditer(html), 1):
        if match[2].lower() not in VOID:
            depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > MAX_NESTED or tags > MAX_TAGS:
            return True
    return False


def _without_tags(html: str) -> str:
    return unescape(re.sub(r"<[^<>]*>", " ", html))


def _only_own_pictures(tag: str, attribute: str, value: str) -> str | None:
    is_foreign = tag == "img" and attribute == "src" and not value.lower().startswith("cid:")
    return None if is_foreign else value


def to_text(html: str) -> str:
    """Return sanitised HTML as text that reads alike: quotes with `>`, items with `-`, links with their address."""
    writer = _TextWriter()
    writer.feed(html)
    writer.close()
    return writer.text()


class _TextWriter(HTMLParser):
    """Writes lines of text, each with its depth of quotes."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[int, str]] = []
        self._line = ""
        self._quotes = self._preformatted = 0
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        values = dict(attrs)
        if tag in BLOCKS:
            self._break(is_paragraph=tag in PARAGRAPHS and not self._lists)
        if tag == "br":
            self._end_line()
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._preformatted += 1
        elif tag in ("ul", "ol"):
            start = values.get("start") or "1"
            self._lists.append((int(start) if start.isdecimal() else 1) if tag == "ol" else None)
        elif tag == "li":
            self._begin_item()
        elif tag in ("td", "th") and self._line.strip():
            self._line = self._line.rstrip() + "\t"
        elif tag == "hr":
            self._line = "---"
            self._end_line()
        elif tag == "a":
            self._links.append((values.get("href") or "", len(self._lines)))
            self._link_start = len(self._line)
        elif tag == "img" and (name := (values.get("alt") or "").strip()):
            self._line += f"[{name}]"

    def _begin_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        self._line = "  " * max(0, len(self._lists) - 1) + ("- " if number is None else f"{number}. ")
        if number is not None:
            self._lists[-1] = number + 1

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in BLOCKS:
            self._break(is_paragraph=tag in PARAGRAPHS and not self._lists)
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())

    def _end_link(self, target: str, line: int) -> None:
        """Write the address of a link after its text, unless the text is the address."""
        words = self._line[self._link_start :].strip() if line == len(self._lines) else ""
        address = target.removeprefix("mailto:").removeprefix("tel:")
        if words and address and not target.startswith("cid:") and _bare(address) != _bare(words):
            self._line += f" <{address}>"

    def handle_data(self, data: str) -> None:
        """Add text."""
        if self._preformatted:
            first, *others = data.split("\n")
            self._line += first
            for line in others:
                self._end_line()
                self._line = line
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        self._line += words.lstrip(" ") if not self._line or self._line.endswith((" ", "\t")) else words

    def _break(self, *, is_paragraph: bool) -> None:
        if self._line.strip():
            self._end_line()
        else:
            self._line = ""
        if is_paragraph and self._lines and self._lines[-1][1].strip():
            self._lines.append((self._quotes, ""))

    def _end_line(self) -> None:
        self._lines.append((self._quotes, self._line.rstrip()))
        self._line = ""

    def text(self) -> str:
        """Return what was written."""
        self._break(is_paragraph=False)
        lines = [f"{'>' * quotes} {line}".rstrip() if quotes else line for quotes, line in self._lines]
        text = "\n".join(lines).replace("\u00a0", " ").replace("\u200b", "").replace("\ufeff", "")
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _bare(address: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", address.lower()).rstrip("/")
