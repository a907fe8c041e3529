"""What a run did and saw, in lines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

written: dict[str, list[str]] = {}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of them lies."""
    ordered = sorted(values) or [0]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def histogram(moments: Sequence[float], *, width: float) -> list[int]:
    """Count moments (seconds) in buckets of a width, from the first one on."""
    first = min(moments, default=0)
    counts = Counter(int((moment - first) / width) for moment in moments)
    return [counts[number] for number in range(max(counts, default=-1) + 1)]


def clusters(moments: Iterable[float], *, apart: float) -> list[list[float]]:
    """Group moments: a new group begins where none was for so many seconds."""
    groups: list[list[float]] = []
    for moment in sorted(moments):
        if not groups or moment - groups[-1][-1] > apart:
            groups.append([])
        groups[-1].append(moment)
    return groups


def of_pages(sums: dict[str, Any]) -> list[str]:
    """Return what all pages applied, how late, and how live they were."""
    pages = sums["sums"]
    delays = [delay for page in pages for delay in page["delays"]]
    slowest = max(pages, key=lambda page: max(page["delays"], default=0))
    away = [page["away_ms"] / 1000 for page in pages]
    states = sum((Counter(page["states"]) for page in pages), Counter())
    return [
        f"pages {len(pages)}, applied {len(delays)}, "
        f"doubles {_count(pages, 'doubles')}, holes {_count(pages, 'holes')}, renewals {_count(pages, 'renewals')}",
        f"caught up {_sum(pages, 'caught_up')} events in {_sum(pages, 'rounds')} rounds; "
        f"refusals {_sum(pages, 'refusals')}, notes on customers' pages {_sum(pages, 'secrets')}",
        f"from commit to page: p50 {percentile(delays, 0.5):.0f} ms, p90 {percentile(delays, 0.9):.0f} ms, "
        f"p99 {percentile(delays, 0.99):.0f} ms; longest silence {max(delays, default=0) / 1000:.1f} s "
        f"({slowest['page']})",
        f"not connected, seconds a page: median {percentile(away, 0.5):.1f}, most {max(away):.1f}",
        "states: " + words(states),
        "answers: " + words(Counter(sums["answers"])),
    ]


def assert_whole(sums: dict[str, Any]) -> None:
    """Assert that no page had anything twice, missed anything, had to be loaded anew, or got what it may not."""
    for what in ("doubles", "holes", "renewals"):
        assert {page["page"]: page[what] for page in sums["sums"] if page[what]} == {}
    for what in ("secrets", "refusals"):
        assert _sum(sums["sums"], what) == 0


def words(counts: Counter[str]) -> str:
    """Return counts by name."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _sum(pages: list[dict[str, Any]], what: str) -> int:
    return sum(page[what] for page in pages)


def _count(pages: list[dict[str, Any]], what: str) -> int:
    return sum(len(page[what]) for page in pages)
