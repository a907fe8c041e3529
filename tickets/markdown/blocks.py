"""Block rules: quotes, lists, tables, fences, headings and paragraphs, each only where it is clearly meant.

They decide where a block begins and ends; the rules of markdown-it parse it.
"""

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block, table
from markdown_it.rules_block.fence import make_fence_rule
from markdown_it.rules_block.list import skipBulletListMarker, skipOrderedListMarker
from markdown_it.rules_block.table import escapedSplit

from tickets.markdown.budget import MAX_COLUMNS, take_cells, take_step

MAX_INDENT = 3  # a line that is indented more begins no block

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_ORDERED_MARKER = re.compile(r"(?:0|[1-9]\d{0,2})[.)][ \t]")
_FENCE = re.compile(r"(`{3,})[ \t]*([\w+#.-]{0,30})[ \t]*")
_exact_fence = make_fence_rule(markers=("`",), exact_match=True)
# A single line such as "> 100 km" is a comparison; >>> is the prompt of Python, and a mark of merge conflicts.
_SINGLE_QUOTE = re.compile(r">[ \t]+(?![-+]?[\d.,])")
_PROMPT = re.compile(r">>>[^>]|>{4}")
_HEADING = re.compile(r"(#{2,4})[ \t]+(?=[^\W_])(.*)")
_DELIMITER_CELL = re.compile(r":?-{3,}:?")


def install(parser: MarkdownIt) -> None:
    """Make these the only block rules of `parser`."""
    ruler = parser.block.ruler
    ruler.before("table", "budget", take_step)
    ruler.at("table", _table, {"alt": ["paragraph"]})
    ruler.at("fence", _fence, {"alt": ["paragraph", "blockquote", "list"]})
    ruler.at("blockquote", _quote, {"alt": ["paragraph", "blockquote", "list"]})
    ruler.at("list", _list, {"alt": ["paragraph", "blockquote"]})
    ruler.at("heading", _heading, {"alt": []})
    ruler.at("paragraph", _paragraph, {"alt": []})
    ruler.enableOnly(["budget", "table", "fence", "blockquote", "list", "heading", "paragraph"])


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _begins_block(state: StateBlock, line: int) -> bool:
    return state.sCount[line] - state.blkIndent <= MAX_INDENT


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take the lines up to an empty line or another block, with their indentation."""
    terminators = state.md.block.ruler.getRules("paragraph")
    line = start + 1
    while line < end and not state.isEmpty(line) and not any(rule(state, line, end, True) for rule in terminators):
        take_step(state)
        line += 1
    state.line = line
    state.push("paragraph_open", "p", 1)
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start, line, state.blkIndent, False).rstrip()
    inline.children = []
    state.push("paragraph_close", "p", -1)
    return True


def _heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take `## Title` that begins a paragraph. One # is more often a number, a tag or a shell comment."""
    found = _HEADING.fullmatch(_text(state, start)) if _begins_block(state, start) else None
    if found is None:
        return False
    state.line = start + 1
    tag = f"h{len(found[1]) + 2}"  # below the author's name, an h3
    state.push("heading_open", tag, 1)
    inline = state.push("inline", "", 0)
    inline.content = found[2].rstrip()
    inline.children = []
    state.push("heading_close", tag, -1)
    return True


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take code between two lines of as many backticks; a single such line stays text."""
    found = _FENCE.fullmatch(_text(state, start)) if _begins_block(state, start) else None
    if found is None or not _is_closed(state, start, end, found[1]):
        return False
    return silent or _exact_fence(state, start, end, False)


def _is_closed(state: StateBlock, start: int, end: int, marker: str) -> bool:
    """Return whether a fence has an end. Remembers where there is none, so that the search stays linear."""
    unclosed = state.env.setdefault("unclosed", set())
    if (marker, end) in unclosed:
        return False
    for line in range(start + 1, end):
        take_step(state)
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return False
        if _text(state, line).rstrip() == marker and _begins_block(state, line):
            return True
    unclosed.add((marker, end))
    return False


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take the lines that begin with >, and no line after them: it is the answer to the quote."""
    if not _is_quote_line(state, start):
        return False
    several = start + 1 < end and _is_quote_line(state, start + 1)
    first = _text(state, start)
    if not (_LETTER_OR_DIGIT.search(first) and (several or _SINGLE_QUOTE.match(first))) or _PROMPT.match(first):
        return False
    if silent:
        return True
    line = start + 1
    while line < end and _is_quote_line(state, line):
        line += 1
    return blockquote(state, start, line, False)


def _is_quote_line(state: StateBlock, line: int) -> bool:
    indent = state.sCount[line] - state.blkIndent
    return 0 <= indent <= MAX_INDENT and _text(state, line).startswith(">")


@dataclass(frozen=True)
class _Marker:
    """The marker of a list item, and the column at which the item's text begins."""

    kind: str
    column: int


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take a list of at least two items; it ends before the first line that is neither an item nor indented."""
    if silent and state.sCount[start] < state.blkIndent:
        return _marker(state, start) is not None  # the next item of a list around this one
    marker = _marker(state, start) if _begins_block(state, start) else None
    if marker is None:
        return False
    last, items = _list_extent(state, start, end, marker)
    if items < 2:
        return False
    return silent or list_block(state, start, last, False)


def _list_extent(state: StateBlock, start: int, end: int, marker: _Marker) -> tuple[int, int]:
    """Return the line after the list that begins at `start`, and the number of its items."""
    line, items, column = start + 1, 1, marker.column
    while line < end:
        take_step(state)
        indent = state.sCount[line]
        if not state.isEmpty(line) and indent < column:
            following = _marker(state, line) if indent >= state.blkIndent and _begins_block(state, line) else None
            if following is not None and following.kind == marker.kind:
                items, column = items + 1, following.column
            elif indent <= state.sCount[start] or state.isEmpty(line - 1):
                break
        line += 1
    return line, items


def _marker(state: StateBlock, line: int) -> _Marker | None:
    """Return the marker of an item with at least one letter or digit."""
    text = _text(state, line)
    position = skipBulletListMarker(state, line)
    if position < 0 and _ORDERED_MARKER.match(text):
        position = skipOrderedListMarker(state, line)
    if position < 0 or not _LETTER_OR_DIGIT.search(state.src, position, state.eMarks[line]):
        return None
    begin = state.bMarks[line] + state.tShift[line]
    return _Marker(state.src[position - 1], state.sCount[line] + position - begin + 1)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take a table whose rows all fit its header; it ends before the first line without |."""
    if start < state.env.get("rejected_table", 0) or start + 1 >= end or not _is_delimiter_row(state, start + 1):
        return False
    line = start
    while line < end and "|" in _text(state, line) and 0 <= state.sCount[line] - state.blkIndent <= MAX_INDENT:
        line += 1
    rows = [_text(state, number) for number in range(start, line)]
    if not _is_regular(rows) or not (silent or take_cells(state.env, len(rows) * len(_cells(rows[0])))):
        state.env["rejected_table"] = line  # its lines begin no other table: the search stays linear
        return False
    return silent or table(state, start, line, False)


def _is_regular(rows: list[str]) -> bool:
    """Return whether no row has more cells than the header, of which the parser would drop the surplus."""
    if len(rows) < 2:
        return False
    columns = len(_cells(rows[0]))
    return (
        1 <= columns <= MAX_COLUMNS
        and len(_cells(rows[1])) == columns
        and not any("\\|" in row or len(_cells(row)) > columns for row in rows)
    )


def _is_delimiter_row(state: StateBlock, line: int) -> bool:
    text = _text(state, line)
    return "|" in text and all(_DELIMITER_CELL.fullmatch(cell.strip()) for cell in _cells(text))


def _cells(row: str) -> list[str]:
    """Return the cells of a row, with or without outer pipes."""
    cells = escapedSplit(row.strip())
    if cells and not cells[0]:
        cells = cells[1:]
    return cells[:-1] if cells and not cells[-1] else cells
