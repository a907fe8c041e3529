"""Properties of rendered messages: what was typed can be read, in order.

`FUZZ_EXAMPLES=500 pytest tests/tickets/messages/test_properties.py` tries more texts, different ones each time.
"""

import os
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tickets.messages.reading import read
from tickets.markdown import render
from tickets.markdown.rendering import MAX_HTML

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
TRIED = settings(max_examples=EXAMPLES or 200, derandomize=not EXAMPLES, deadline=None)

# Characters that may be markup, and so may not be shown; everything else must be.
MARKUP = set("*_~`#>-+.)|[]()!:\\ \t\n")
SCRIPTS = (
    "abcXYZ äßéñ 0123 αβγ дщя אבג عربي हिन्दी ไทย 漢字かなカナ 한국어 ქართ አማ 👍🏽👩 ½²€ \u0301\u200d"
    "。，「」؟।„“‘’«»…—&<>\"';=%$@^{}/?"
)
LINES = (
    "- ", "* ", "1. ", "2) ", "> ", ">", "## ", "# ", "```\n", "```", "---", "--", "    ", "\t", "|", "--- | ---\n",
    "**", "*", "_", "~~", "`", "[", "](https://a.example)", "](4711)", "https://a.example/", "www.", "&amp;",
    "<b>", "\n", "\n\n", " ",
)  # fmt: skip

plain_text = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="*_~`#>-+|[]()"))
mixed_text = st.lists(st.one_of(st.sampled_from(LINES), st.text(SCRIPTS, max_size=8))).map("".join)


def visible(text: str) -> str:
    """Return the characters of `text` that are shown, without spaces."""
    return "".join(char for char in text if not char.isspace() and unicodedata.category(char) not in ("Cc", "Zs"))


@TRIED
@given(st.lists(plain_text, max_size=6).map("\n".join))
@example("1. a\n1. b")
def test_text_of_any_script_is_read_as_typed(text):
    assert visible(read(render(text))) == visible(text)


@TRIED
@given(mixed_text)
@example("> - a\n> - b\n1. c\n9. d\n```\n*e*\n```\n**f** [g](https://a.example)")
@example("a | b\n--- | ---\nc\n\n| d |\n|---|\n| e |")
def test_only_markup_may_vanish(text):
    typed = visible(text.replace("https://a.example", ""))
    shown = visible(read(render(text)).replace("https://a.example", ""))
    assert _words(shown) == _words(typed)


@TRIED
@given(mixed_text)
def test_html_is_bounded_and_stable(text):
    html = render(text)
    assert len(html) <= MAX_HTML
    assert render(text) == html


def _words(text: str) -> str:
    return "".join(char for char in text if char not in MARKUP)
