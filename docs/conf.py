"""Builds the documentation with Sphinx: `make docs`. A warning, such as a link that leads nowhere, is an error.

The pages are plain Markdown, which a forge shows as it is. The navigation follows from the headings and links of
docs/README.md: a page that is linked there is found here.
"""

import re
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "TIKM"
extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = ["docs/**", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "realtime/README.md"]
exclude_patterns = [".*", "node_modules", "var", "static", "staticfiles", "templates", "tests", "locale"]
myst_heading_anchors = 4  # the anchors of GitHub, for headings to this depth
html_theme = "furo"
html_title = "TIKM"
html_copy_source = False

TOP = Path(__file__).parents[1]
DECISIONS = "docs/decisions/README"
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
PAGE = re.compile(r"\]\(([\w./-]+)\.md\)")


def setup(app: Sphinx) -> None:
    """Register what the pages need beyond Markdown."""
    app.connect("source-read", add_navigation)
    app.add_lexer("mermaid", TextLexer)  # diagrams, which a forge draws


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the contents, which a forge would show as text, to the page that lists them as links."""
    if page == DECISIONS:
        source[0] += _contents("Decisions", sorted(path.stem for path in (TOP / "docs/decisions").glob("0*.md")))
    if page == root_doc:
        for heading, text in SECTION.findall(source[0]):
            source[0] += _contents(heading, [_name(link) for link in PAGE.findall(text)])


def _name(link: str) -> str:
    """Return the name that Sphinx has for a page that is linked from docs/."""
    return f"/{(TOP / 'docs' / link).resolve().relative_to(TOP)}"


def _contents(caption: str, pages: list[str]) -> str:
    return "\n".join(("", "", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""))
