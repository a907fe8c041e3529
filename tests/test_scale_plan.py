"""The table of docs/scaling.md is what the calculation gives."""

import re

from benchmarks.scale import Site, plan
from tests.support.servers.instances import TOP

PEOPLE = (10_000, 100_000, 1_000_000)


def test_table_is_what_the_calculation_gives():
    text = (TOP / "docs/scaling.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([\d,]+ \| [\d,]+ \| [\d,]+) \|$", text, re.MULTILINE))
    plans = [plan(Site(people=people, events=people / 500)) for people in PEOPLE]
    for name in plans[0]:
        assert rows[name] == " | ".join(f"{each[name]:,.0f}" for each in plans), name


def test_fewer_processes_are_enough_where_pages_may_take_longer_to_come_back():
    minute, two = (plan(Site(back_within=seconds))["socket processes"] for seconds in (60, 120))
    assert two < minute
