"""Publishes results as a table, as JSON with the machine, and as an SVG bar chart."""

import json
import os
import platform
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.bar { fill: #2f6fdb }
.note { fill: #59636e }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #6ea8fe } .note { fill: #9198a1 } }
"""
LABEL, WIDTH, HEIGHT = 240, 420, 24  # pixels: of the labels, of the longest bar, of a row


def publish(name: str, title: str, rows: list[dict[str, Any]], *, bars: str, notes: str = "") -> None:
    """Print a table of `rows`, save it as JSON, and column `bars` as a chart; the first key is the label."""
    print(f"\n{title}\n\n{table(rows)}\n" + (f"\n{notes}\n" if notes else ""))
    RESULTS.mkdir(exist_ok=True)
    result = {"title": title, "rows": rows, "notes": notes, "machine": machine()}
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2))
    (RESULTS / f"{name}.svg").write_text(plot(title, rows, bars))


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text, one column per key."""
    cells = [list(rows[0]), *([_in_words(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ([label.ljust(widths[0]), *map(str.rjust, rest, widths[1:])] for label, *rest in cells)
    return "\n".join("  ".join(line) for line in lines)


def machine() -> dict[str, Any]:
    """Return the machine and the date."""
    models = [line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "CPU": models[0] if models else platform.processor(),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "load": os.getloadavg()[0],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def plot(title: str, rows: list[dict[str, Any]], column: str) -> str:
    """Return a bar chart of a column; a row without a figure has no bar."""
    label = next(iter(rows[0]))
    most = max((row[column] or 0 for row in rows), default=0) or 1
    lines = [_bar(place, str(row[label]), row[column], most) for place, row in enumerate(rows)]
    size = f'width="{LABEL + WIDTH + 110}" height="{(len(rows) + 2) * HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    caption = f'<text x="0" y="16">{escape(title)}: <tspan class="note">{escape(column)}</tspan></text>'
    return "\n".join([head, f"<style>{STYLE}</style>", caption, *lines, "</svg>\n"])


def _bar(place: int, label: str, value: float | None, most: float) -> str:
    top = (place + 1.5) * HEIGHT
    length = WIDTH * (value or 0) / most
    return (
        f'<text x="{LABEL - 10}" y="{top + 16}" text-anchor="end">{escape(label)}</text>'
        f'<rect class="bar" x="{LABEL}" y="{top + 4}" width="{length:.1f}" height="{HEIGHT - 8}"/>'
        f'<text class="note" x="{LABEL + length + 6:.1f}" y="{top + 16}">{escape(_in_words(value))}</text>'
    )


def _in_words(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
