"""A rolling restart while a hundred pages are open and changes are written: no page notices but by its socket."""

import signal
import socket

import pytest

from tests.faults import report
from tests.faults.pages import PATIENCE, Pages
from tests.faults.site import CROWD
from tests.faults.writer_process import Writing
from tests.integration.servers.serve import Serve, requesting
from tests.support.servers.instances import wait_until

LISTS = 4  # that each agent of the crowd has open beside a ticket
CHANGES = 6  # a second
DRAIN = 3  # seconds over which a worker closes its sockets
BUCKET = 0.5  # seconds
QUIET = 2.0  # seconds between the sockets that one worker closes, and the next one's
TWICE = 2  # at least: workers are replaced, and a successor takes over
RESTARTED_WITHIN = 180  # seconds: each worker loads the project, beside other tests
REPLACED = 4200
GIVEN_UP = 1000  # by the page itself: on a busy machine a connection may take longer than it waits for
CROWDED = 20  # sockets could be a herd


@pytest.fixture
def begin(desk, tmp_path_factory):
    """Return what starts another server on the one listening socket."""
    begun = []

    def begin():
        directory = tmp_path_factory.mktemp("serve")
        begun.append(Serve(directory, env=desk.environment, listener=listener, workers=2, drain=DRAIN))
        begun[-1].start()
        return begun[-1]

    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield begin
    for server in begun:
        server.stop()


@pytest.fixture
def server(begin):
    return begin()


@pytest.fixture
def pages(desk, server):
    with Pages(desk, server) as pages:
        for number in range(CROWD):
            pages.open(f"agent{number}", ticket=desk.tickets[number % 2])
            pages.open(f"agent{number}", tabs=LISTS)
        pages.load()
        wait_until(pages.are_live, timeout=PATIENCE, message="Some pages are not live.")
        yield pages


@pytest.fixture
def writing(desk, seed):
    writing = Writing(desk.environment, seed, CHANGES)
    writing.wait_until_begun()
    yield writing
    writing.kill()


def reload(server):
    before = server.workers()
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.has_other_workers(before), timeout=RESTARTED_WITHIN, message="Some stayed.")


def hand_over(server, begin):
    begin()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=RESTARTED_WITHIN) == 0


def waves_of(moments):
    """Group moments in milliseconds, as seconds: those of each worker, or server, that ended."""
    return report.clusters([moment / 1000 for moment in moments], apart=QUIET)


def spread(waves):
    return [report.histogram(wave, width=BUCKET) for wave in waves]


def test_rolling_restart_loses_no_request_and_no_event(desk, server, begin, pages, writing):
    visitor = {"path": f"/tickets/{desk.tickets[0]}/", "cookies": desk.sessions["bao"], "pause": 0.25}
    before = desk.events()
    with requesting(server, **visitor) as answers:
        reload(server)
        hand_over(server, begin)
        wait_until(pages.are_live, timeout=PATIENCE, message="Some pages are not live.")
    writing.finish()
    differences, sums = pages.settle(), pages.sums()
    hang_ups = [call for page in sums["sums"] for call in page["hang_ups"]]
    sent_away = waves_of(call["at"] for call in hang_ups if call["code"] == REPLACED)
    back = waves_of(moment for page in sums["sums"] for moment in page["connects"][1:])
    report.written["Rolling restart"] = [
        f"events committed {desk.events() - before}; pages requested during it: {len(answers)}, all served"
        f", the slowest in {max(answers):.2f} s",
        *report.of_pages(sums),
        f"sent away, each {BUCKET} s: {spread(sent_away)}",
        f"came back, each {BUCKET} s: {spread(back)}",
    ]
    assert differences == []
    report.assert_whole(sums)
    assert {call["code"] for call in hang_ups} <= {REPLACED, GIVEN_UP}
    herds = [counts for counts in spread(sent_away) if sum(counts) >= CROWDED]
    assert len(herds) >= TWICE
    assert all(max(counts) <= sum(counts) / 2 for counts in herds)
