"""The production server as an operator runs it: one port, rolling reloads, stuck workers, and a graceful end."""

import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.db import connection, transaction
from websockets.exceptions import ConnectionClosed

from realtime.broadcasting import history
from realtime.serve.admission import MAX_CONCURRENT, MAX_QUEUED, MAX_VIEWS
from tests.integration.servers.serve import Serve, requesting
from tests.support.clients.page_client import PageClient
from tests.support.servers import instances
from tests.support.servers.http_client import CSRF
from tests.support.sockets import session_cookie

RECONNECT, BUSY = 4200, 503
FAULTY, BLOCKING_PATH = "tests.integration.servers.faulty", "/block/"
STUCK_AFTER = 8  # seconds
CLIENTS = 8


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


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
    bao = PageClient(live_cast.bao, server)
    with bao.subscribed(live_cast.ticket.channel):
        bao.visitor.reply(live_cast.ticket.uuid, "One port")
        bao.receives("One port", within=60)


UNFINISHED = (
    f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken={CSRF}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nlogin="
).encode()


def test_stalled_uploads_do_not_block_pages(live_cast, server):
    with ExitStack() as uploads:
        for _ in range(2 * MAX_VIEWS):
            upload = uploads.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            upload.sendall(UNFINISHED)
        assert server.answers()


def test_history_requests_are_bounded_and_do_not_block_pages(live_cast, server):
    cookie, channel = session_cookie(live_cast.casey), live_cast.casey.channel

    def ask(since):
        path = f"/broadcasting/history?channel={channel}&since={since}"
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as visit:
            visit.request("GET", path, headers={"Cookie": cookie})
            answer = visit.getresponse()
            return answer.status, answer.getheader("Retry-After")

    since, number = history.current_cursor(), MAX_CONCURRENT + MAX_QUEUED + 1
    with ThreadPoolExecutor(number) as threads, transaction.atomic():
        connection.cursor().execute("LOCK TABLE realtime_logfloor IN ACCESS EXCLUSIVE MODE")
        asked = [threads.submit(ask, since) for _ in range(number)]
        refused = next(as_completed(asked, timeout=20))
        assert refused.result() in ((BUSY, "1"), (BUSY, "2"))
        assert server.answers()
    assert {each.result() for each in asked if each is not refused} == {(200, None)}


def test_killed_worker_is_replaced(live_cast, server):
    before = server.workers()
    os.kill(*before, signal.SIGKILL)
    instances.wait_until(lambda: server.has_other_workers(before), timeout=40, message="It was not replaced.")
    assert f"Worker (pid:{before[0]}) was sent SIGKILL!" in server.log.read_text()
    with PageClient(live_cast.bao, server).subscribed(live_cast.ticket.channel):
        pass


def test_systemd_socket_is_found_and_outlives_the_server(live_cast, environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Serve(tmp_path, env=environment, listener=listener)
        serve = server.command[: server.command.index("--fd")]
        server.command = [sys.executable, "-c", AS_SYSTEMD, str(listener.fileno()), *serve, "--fd", "3"]
        with server:
            assert f"Serving on http://127.0.0.1:{server.port}" in server.log.read_text()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=20) == 0
        with socket.create_connection(("127.0.0.1", server.port)):
            pass


@pytest.fixture
def faulty(environment, tmp_path):
    """Return an environment in which a test can break or block the site; see `faulty`."""
    settings = {"GUNICORN_CMD_ARGS": f"--timeout {STUCK_AFTER}", "DJANGO_SETTINGS_MODULE": FAULTY}
    markers = {"BROKEN_MARKER": str(tmp_path / "broken"), "BLOCKED_MARKER": str(tmp_path / "blocked")}
    return environment | settings | markers


def test_failed_start_is_logged_and_leaves_nothing(live_cast, faulty, tmp_path):
    (tmp_path / "broken").touch()
    server = Serve(tmp_path, env=faulty)
    with pytest.raises(RuntimeError, match="ended with 3"):
        server.start()
    log = server.log.read_text()
    assert "This release is broken." in log
    assert "Worker failed to boot." in log
    with pytest.raises(ProcessLookupError):
        os.killpg(server.process.pid, 0)


def test_reload_with_broken_code_keeps_the_old_workers(live_cast, faulty, tmp_path):
    with Serve(tmp_path, env=faulty) as server:
        before = server.workers()
        (tmp_path / "broken").touch()
        server.process.send_signal(signal.SIGHUP)
        stays = "The workers that serve stay."
        instances.wait_until(lambda: stays in server.log.read_text(), timeout=40, message="No worker failed.")
        assert server.workers() == before
        assert server.answers()
        (tmp_path / "broken").unlink()
        server.process.send_signal(signal.SIGHUP)
        instances.wait_until(lambda: server.has_other_workers(before), timeout=40, message="Some stayed.")


def test_blocked_worker_delays_no_other_request_and_is_killed(live_cast, faulty, tmp_path):
    with Serve(tmp_path, env=faulty, workers=2) as server:
        before = server.workers()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(f"GET {BLOCKING_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            # Until then the worker may accept connections that it will not answer.
            instances.wait_until((tmp_path / "blocked").exists, timeout=20, message="No worker was blocked.")
            with ThreadPoolExecutor(CLIENTS) as threads:
                assert all(threads.map(lambda _: server.answers(), range(CLIENTS)))
            assert client.recv(1) == b""  # its worker is dead
        instances.wait_until(
            lambda: len({*server.workers()} - {*before}) == 1, timeout=20, message="It was not replaced."
        )
        log = server.log.read_text()
        assert "WORKER TIMEOUT" in log
        assert 'faulty.py", line' in log  # the stack


def test_reload_replaces_workers_without_a_failed_request(live_cast, server):
    before, bao = server.workers(), PageClient(live_cast.bao, server)
    with requesting(server), bao.subscribed(live_cast.ticket.channel):
        server.process.send_signal(signal.SIGHUP)
        with pytest.raises(ConnectionClosed) as closing:
            bao.event("nothing of this name", within=30)
        assert closing.value.rcvd.code == RECONNECT
        with bao.subscribed(live_cast.ticket.channel):
            pass
        instances.wait_until(lambda: server.has_other_workers(before), timeout=40, message="Some stayed.")


def test_pages_only_workers_are_replaced_without_a_failed_request(live_cast, environment, tmp_path):
    server = Serve(tmp_path, env=environment)
    server.command.append("--pages-only")
    with server:
        before = server.workers()
        with requesting(server):
            server.process.send_signal(signal.SIGHUP)
            instances.wait_until(lambda: server.has_other_workers(before), timeout=40, message="Some stayed.")
        assert "Using worker: gthread" in server.log.read_text()


def test_successor_on_the_same_socket_takes_over(live_cast, server, begin):
    with requesting(server) as answers:
        successor = begin()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        count = len(answers)
        instances.wait_until(lambda: len(answers) > count + 3, timeout=60, message="No page is served any more.")
    with PageClient(live_cast.bao, successor).subscribed(live_cast.ticket.channel):
        pass
    workers = successor.workers()
    os.kill(successor.process.pid, signal.SIGKILL)
    successor.process.wait()
    # Without their arbiter they end by themselves.
    instances.wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), timeout=40, message="Some stayed."
    )
