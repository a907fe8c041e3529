"""The production server as an operator runs it: one port, processes that are replaced, and an end without a jolt."""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.db import connection, transaction
from websockets.exceptions import ConnectionClosed

from realtime.broadcasting import history
from realtime.serving.pages import THREADS
from realtime.serving.turnstile import LINE, MOST
from tests.integration.servers.serve import Serve, asked_all_the_while
from tests.support import instances
from tests.support.http_visitor import CSRF
from tests.support.live_user import Person
from tests.support.sockets import session_cookie

REPLACED, BUSY = 4200, 503
KNOCKS = 8


@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener


@pytest.fixture(scope="module")
def begin(environment, listener, tmp_path_factory):
    """Return what starts another server on the one listening socket."""
    begun = []

    def begin():
        begun.append(Serve(tmp_path_factory.mktemp("serve"), listener=listener, env=environment))
        begun[-1].start()
        return begun[-1]

    yield begin
    for server in begun:
        server.stop()


@pytest.fixture(scope="module")
def server(begin):
    return begin()


def test_pages_and_sockets_share_a_port(live_cast, server):
    bao = Person(live_cast.bao, server)
    with bao.listening(live_cast.ticket.channel):
        bao.visitor.reply(live_cast.ticket.uuid, "One port")
        bao.hears("One port", within=5)


UNFINISHED = (
    f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken={CSRF}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nlogin="
).encode()


def test_uploads_that_stand_still_keep_no_page_from_others(live_cast, server):
    with ExitStack() as uploads:
        for _ in range(2 * THREADS):
            upload = uploads.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            upload.sendall(UNFINISHED)
        assert server.answers()


def test_pages_that_ask_the_history_keep_no_page_from_others(live_cast, server):
    cookie, channel = session_cookie(live_cast.casey), live_cast.casey.channel

    def ask(since):
        path = f"/broadcasting/history?channel={channel}&since={since}"
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as visit:
            visit.request("GET", path, headers={"Cookie": cookie})
            answer = visit.getresponse()
            return answer.status, answer.getheader("Retry-After")

    since = history.present()
    with ThreadPoolExecutor(MOST + LINE + 1) as threads, transaction.atomic():
        connection.cursor().execute("LOCK TABLE realtime_logfloor IN ACCESS EXCLUSIVE MODE")
        asked = [threads.submit(ask, since) for _ in range(MOST + LINE + 1)]
        turned_away = next(as_completed(asked, timeout=10))
        assert turned_away.result() in ((BUSY, "1"), (BUSY, "2"))
        assert server.answers()
    assert {each.result() for each in asked if each is not turned_away} == {(200, None)}


def test_a_process_that_was_killed_is_followed_by_another(live_cast, server):
    before = server.processes()
    for kind in ("sockets", "pages"):
        os.kill(*before[kind], signal.SIGKILL)
    instances.wait_until(lambda: server.are_others_than(before), timeout=40, message="They were not followed.")
    assert server.log.read_text().count("ended (-9)") == 2
    with Person(live_cast.bao, server).listening(live_cast.ticket.channel):
        pass


def test_whoever_comes_to_a_process_that_is_stuck_is_let_in_by_the_one_beside_it(live_cast, environment, tmp_path):
    with Serve(tmp_path, env=environment, workers=2) as server:
        stuck, _ = server.processes()["sockets"]
        os.kill(stuck, signal.SIGSTOP)
        # The system gives each of them to one process or the other, by chance.
        with ThreadPoolExecutor(KNOCKS) as threads:
            assert all(threads.map(lambda _: server.answers(), range(KNOCKS)))
        os.kill(stuck, signal.SIGCONT)


def test_all_processes_are_replaced_while_everybody_is_served(live_cast, server):
    before, bao = server.processes(), Person(live_cast.bao, server)
    with asked_all_the_while(server), bao.listening(live_cast.ticket.channel):
        server.process.send_signal(signal.SIGHUP)
        with pytest.raises(ConnectionClosed) as closing:
            bao.event("nothing of this name", within=30)
        assert closing.value.rcvd.code == REPLACED
        with bao.listening(live_cast.ticket.channel):
            pass
        instances.wait_until(lambda: server.are_others_than(before), timeout=40, message="Some stayed.")


def test_a_successor_takes_over_and_nobody_is_turned_away(live_cast, server, begin):
    with asked_all_the_while(server) as answers:
        successor = begin()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        count = len(answers)
        instances.wait_until(lambda: len(answers) > count + 3, timeout=5, message="Nobody answers any more.")
    with Person(live_cast.bao, successor).listening(live_cast.ticket.channel):
        pass
    left = [pid for pids in successor.processes().values() for pid in pids]
    os.kill(successor.process.pid, signal.SIGKILL)
    successor.process.wait()
    # Alone, they end by themselves.
    instances.wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), timeout=40, message="Some stayed."
    )
