"""Test that after a run with faults every page shows what the database has, in order, once.

FAULT_SECONDS says how long things break, FAULT_SEED in which order.
"""

import os
import time
from collections import Counter

import pytest

from tests.faults import report
from tests.faults.api_writer import Caller
from tests.faults.fault_injector import TWICE, Saboteur
from tests.faults.pages import PATIENCE, Pages
from tests.integration.servers.serve import Serve
from tests.support.servers.instances import wait_until

SECONDS = float(os.environ.get("FAULT_SECONDS", "50"))
PAUSE = 3.0  # seconds from one fault to the next, on average
CHANGES = 8  # a second, by the writers
CALL_EVERY = 1.2  # seconds, by the API: a user may write sixty replies a minute

TICKET_PAGES = (
    ("ada", (0, 1, 2, 3)), ("bao", (0, 1)), ("dana", (0, 3)), ("emil", (2,)), ("casey", (0, 2, 3)), ("greta", (1,)),
)  # fmt: skip
LISTS = (
    ("ada", "/tickets/"), ("bao", "/tickets/"), ("dana", "/"), ("emil", "/tickets/"), ("emil", "/"),
    ("casey", "/"), ("casey", "/tickets/"), ("greta", "/tickets/"), ("greta", "/"),
)  # fmt: skip


@pytest.fixture
def server(desk, tmp_path):
    with Serve(tmp_path, env=desk.environment, workers=2) as server:
        yield server


@pytest.fixture
def pages(desk, server):
    with Pages(desk, server) as pages:
        for name, tickets in TICKET_PAGES:
            for number in tickets:
                pages.open(name, ticket=desk.tickets[number])
        for name, path in LISTS:
            pages.open(name, path=path)
        pages.load()
        wait_until(pages.are_live, timeout=PATIENCE, message="Some pages are not live.")
        yield pages


def test_every_page_matches_the_database_after_all_faults(desk, server, pages, seed):
    before, saboteur = desk.events(), Saboteur(desk, server, pages, seed, rate=CHANGES)
    with Caller(desk, server, period=CALL_EVERY) as caller:
        saboteur.run(SECONDS, pause=PAUSE)
        saboteur.writing.finish()
    began = time.monotonic()
    wait_until(pages.are_live, timeout=PATIENCE, message="Some pages are not live again.")
    recovered = time.monotonic() - began
    # Pages without events do not ask the history: only the log tailer can deliver these replies.
    desk.redis.kill()
    by_the_tail = pages.settle()
    desk.redis.start()
    differences = pages.settle()
    truth, sums = desk.run("truth"), pages.sums()
    report.written["Fault run"] = [
        f"seed {seed}; faults {saboteur.done.total()}: {report.words(saboteur.done)}",
        f"events committed {desk.events() - before}; all live {recovered:.1f} s after the last fault",
        f"replies by the API {len(caller.keys)}: {report.words(caller.answers)}",
        *report.of_pages(sums),
    ]
    assert by_the_tail == []
    assert differences == []
    report.assert_whole(sums)
    assert sum(page["caught_up"] for page in sums["sums"]) > 0
    assert min(saboteur.done[kind] for kind in saboteur.kinds) >= TWICE
    # Each key made one reply, whatever became of the answers.
    assert set(truth["made"].values()) == {1}
    assert Counter(truth["messages"]) == Counter(f"By key {key}" for key in caller.keys)
