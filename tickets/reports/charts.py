"""Places of the bars and lines of a report's charts, as SVG has them: y grows downwards, 100 is the full height."""

from collections.abc import Sequence
from dataclasses import dataclass

from tickets.reports.figures import Figures

HEIGHT = 100
WEEK = 10  # width of a week
BAR = 4  # width of a bar: two of them, and a gap


@dataclass(frozen=True)
class Bar:
    """A bar of what was opened or closed in a week."""

    kind: str
    x: int
    height: float
    week: Figures

    width = BAR

    @property
    def y(self) -> float:
        return HEIGHT - self.height


@dataclass(frozen=True)
class Charts:
    """The bars of all weeks, the line of open tickets, and the number at the top of each chart."""

    width: int
    bars: list[Bar]
    bars_top: int
    line: str  # the points of a polyline
    line_top: int


def make_charts(weeks: Sequence[Figures]) -> Charts:
    """Return the charts of the weeks of a report."""
    bars_top = _top(max((number for week in weeks for number in (week.opened, week.closed)), default=0))
    line_top = _top(max((week.open or 0 for week in weeks), default=0))
    bars = [
        Bar(kind, place * WEEK + 1 + offset * BAR, getattr(week, kind) / bars_top * HEIGHT, week)
        for place, week in enumerate(weeks)
        for offset, kind in enumerate(("opened", "closed"))
    ]
    heights = [HEIGHT - (week.open or 0) / line_top * HEIGHT for week in weeks]
    line = " ".join(f"{place * WEEK + WEEK / 2:g},{height:.1f}" for place, height in enumerate(heights))
    return Charts(len(weeks) * WEEK, bars, bars_top, line, line_top)


def _top(number: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 ... that is not below `number`."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= number:
                return step * power
        power *= 10
