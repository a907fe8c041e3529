"""Markdown: tables, and the generated parts of a page."""

import re
from collections.abc import Callable, Mapping, Sequence

Part = Callable[[], str]  # returns the Markdown of a generated part
GENERATED = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(?=^<!-- end -->$)", re.MULTILINE | re.DOTALL)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table. Cells are Markdown; line ends in them become spaces."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def code(text: object) -> str:
    """Return `text` as code, or an empty cell for nothing."""
    return f"`{text}`" if str(text) else ""


def summary(text: str | None) -> str:
    """Return the first paragraph of a docstring or description, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def fill(page: str, parts: Mapping[str, Part]) -> str:
    """Return `page` with its generated parts made anew. Raises KeyError for a name that is not in `parts`."""
    return GENERATED.sub(lambda found: found[1] + "\n" + parts[found[2]]() + "\n", page)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
