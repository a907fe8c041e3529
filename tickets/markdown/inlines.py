"""Inline rules: emphasis, code and links, each only where it is clearly meant."""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from tickets.markdown import links
from tickets.markdown.budget import take_step

_SPECIAL = re.compile(rf"[\n*_~`\[]|{links.START}")
_LINK_START = re.compile(links.START)
_MARKER_RUNS = {"*": (1, 2, 3), "_": (1,), "~": (2,)}
_MARKERS = "*_~"
_WORD_BEFORE, _WORD_AFTER = re.compile(r"\w*\Z"), re.compile(r"\w*")
_WITHIN_A_WORD = re.compile(r"[^\W_]_+[^\W_]")
_MAX_IDENTIFIER = 60  # characters looked at on either side
# Scripts without spaces between words: emphasis may begin and end within their text.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)


def install(parser: MarkdownIt) -> None:
    """Make these the only inline rules of `parser`."""
    ruler = parser.inline.ruler
    ruler.before("text", "budget", take_step)
    ruler.at("text", _text)
    ruler.at("newline", _newline)
    ruler.at("linkify", _bare_link)
    ruler.at("link", _named_link)
    ruler.at("backticks", _code)
    ruler.at("emphasis", _emphasis)
    ruler.enableOnly(["budget", "text", "newline", "linkify", "link", "backticks", "emphasis"])
    parser.inline.ruler2.enableOnly(["balance_pairs", "strikethrough", "emphasis", "fragments_join"])


def _text(state: StateInline, silent: bool) -> bool:
    """Take the text up to the next character that may be markup."""
    found = _SPECIAL.search(state.src, state.pos, state.posMax)
    end = found.start() if found else state.posMax
    if end == state.pos:
        return False
    state.append_pending(state.src[state.pos : end])
    state.pos = end
    return True


def _newline(state: StateInline, silent: bool) -> bool:
    """Break the line, and keep the indentation of the next one."""
    if state.src[state.pos] != "\n":
        return False
    state.push("hardbreak", "br", 0)
    state.pos += 1
    return True


def _bare_link(state: StateInline, silent: bool) -> bool:
    if state.linkLevel or not _LINK_START.match(state.src, state.pos, state.posMax):
        return False
    link = links.bare_link(state.src, state.pos)
    if link is None or link.end > state.posMax:
        return False
    _open_link(state, link)
    state.push("text", "", 0).content = link.address
    _close_link(state, link)
    return True


def _named_link(state: StateInline, silent: bool) -> bool:
    """Take [text](address); an image stays text, since it would reveal who reads it, and when."""
    is_image = state.pos > 0 and state.src[state.pos - 1] == "!"
    link = None if is_image or state.linkLevel else links.named_link(state.src, state.pos)
    if link is None:
        return False
    end = state.posMax
    _open_link(state, link)
    state.pos, state.posMax = link.label_start, link.label_end
    state.md.inline.tokenize(state)
    state.posMax = end
    _close_link(state, link)
    return True


def _open_link(state: StateInline, link: links.Link) -> None:
    state.linkLevel += 1
    state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(link.href)}


def _close_link(state: StateInline, link: links.Link) -> None:
    state.push("link_close", "a", -1)
    state.linkLevel -= 1
    state.pos = link.end


def _code(state: StateInline, silent: bool) -> bool:
    """Take `code` on one line; a backtick within a word, as in don`t, stays text."""
    start, text = state.pos, state.src
    if text[start] != "`":
        return False
    inside = _end_of_run(text, start, state.posMax)
    marker = text[start:inside]
    close = -1 if _is_word(text, start - 1) else _closing_run(state, marker, inside)
    if close < 0 or _is_word(text, close + len(marker)) or not text[inside:close].strip():
        state.append_pending(marker)
        state.pos = inside
        return True
    state.push("code_inline", "code", 0).content = text[inside:close]
    state.pos = close + len(marker)
    return True


def _closing_run(state: StateInline, marker: str, start: int) -> int:
    """Return the position of the next run of as many backticks on this line, or -1."""
    line_end = state.src.find("\n", start, state.posMax)
    end = state.posMax if line_end < 0 else line_end
    position = state.src.find(marker, start, end)
    while position >= 0:
        take_step(state)
        run_end = _end_of_run(state.src, position, end)
        if run_end - position == len(marker):
            return position
        position = state.src.find(marker, run_end, end)
    return -1


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Take markers of emphasis that stand at the outside of words: 2*3*4, *.txt and __init__ stay text."""
    start, text = state.pos, state.src
    marker = text[start]
    if marker not in _MARKER_RUNS:
        return False
    end = _end_of_run(text, start, state.posMax)
    opens, closes = _sides(text, start, end, state.posMax)
    if end - start not in _MARKER_RUNS[marker] or not (opens or closes):
        state.append_pending(text[start:end])
        state.pos = end
        return True
    width = 2 if marker == "~" else 1
    for _ in range(start, end, width):
        state.push("text", "", 0).content = marker * width
        length = end - start if width == 1 else 0
        state.delimiters.append(Delimiter(ord(marker), length, len(state.tokens) - 1, -1, opens, closes))
    state.pos = end
    return True


def _sides(text: str, start: int, end: int, limit: int) -> tuple[bool, bool]:
    """Return whether the markers at `start` to `end` may open emphasis, and whether they may close it."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1] if end < limit else ""
    if (before and before == after) or (text[start] == "_" and _is_in_identifier(text, start)):
        return False, False
    unspaced = end - start > 1
    opens = _may_surround(before, "([{<\"'¿¡", unspaced) and _may_begin(text, end, limit, single=end - start == 1)
    closes = _may_surround(after, ")]}>\"'.,;:!?", unspaced) and _may_end(text, start)
    return opens, closes


def _is_in_identifier(text: str, position: int) -> bool:
    """Return whether the word around an underscore has one within, as in _user_id or my_key_."""
    before = _WORD_BEFORE.search(text[max(0, position - _MAX_IDENTIFIER) : position])
    after = _WORD_AFTER.match(text, position, position + _MAX_IDENTIFIER)
    return bool(before and after and _WITHIN_A_WORD.search(before[0] + after[0]))


def _may_surround(char: str, allowed: str, unspaced: bool) -> bool:
    """Return whether `char` may stand at the outside of a marker."""
    if not char or char.isspace() or char in allowed or char in _MARKERS:
        return True
    if unspaced and _UNSPACED.match(char):
        return True
    return ord(char) > 0x7F and unicodedata.category(char)[0] == "P"


def _may_begin(text: str, position: int, limit: int, *, single: bool) -> bool:
    """Return whether the emphasised text begins with a letter, a digit, a symbol or an opening bracket."""
    while position < limit and text[position] in _MARKERS:
        position += 1
    char = text[position] if position < limit else " "
    if char.isnumeric():
        return not single
    return char.isalpha() or char in "¿¡\"'`@$#" or unicodedata.category(char) in ("So", "Sc", "Ps", "Pi", "Mn", "Mc")


def _may_end(text: str, position: int) -> bool:
    """Return whether the emphasised text ends with a visible character that does not lead on."""
    while position and text[position - 1] in _MARKERS:
        position -= 1
    char = text[position - 1] if position else " "
    return not char.isspace() and char not in "([{</\\|=,;"


def _is_word(text: str, position: int) -> bool:
    return 0 <= position < len(text) and text[position].isalnum()


def _end_of_run(text: str, start: int, limit: int) -> int:
    """Return the end of the repetition of the character at `start`."""
    end = start + 1
    while end < limit and text[end] == text[start]:
        end += 1
    return end
