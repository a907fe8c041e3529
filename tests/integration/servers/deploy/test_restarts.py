"""The whole installation behind nginx with TLS: each part is restarted under load, and nothing is lost."""

import os
import signal
from collections import Counter

import pytest
from django.db import connection

from realtime.conf import config
from tests.integration.servers.deploy.nginx import Nginx
from tests.integration.servers.deploy.people import Page, Writer, all_arrive
from tests.integration.servers.serve import Serve
from tests.integration.servers.worker import Worker
from tests.support.servers.certificates import Authority
from tests.support.servers.instances import TOP, wait_until
from tests.support.sockets import session_cookie

TWO_PORTS = "tikm-two-ports.conf"
RESTARTED_WITHIN = 120  # seconds: each worker loads the project, on a busy machine


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        found = Authority(tmp_path_factory.mktemp("certificates"))
        patch.setenv("SSL_CERT_FILE", found.path)
        yield found


@pytest.fixture(scope="module")
def site(environment, tmp_path_factory):
    """Two page workers, two socket workers and a job worker, as docs/serving.md starts them."""
    settings = {"ALLOWED_HOSTS": "localhost,127.0.0.1", "TRUSTED_PROXIES": "127.0.0.1", "EMAIL_URL": "dummymail://"}
    settings |= {"DJANGO_SETTINGS_MODULE": "tests.integration.servers.deploy.settings"}
    settings |= {"REALTIME_APP_SECRET": config().app_secrets[0], "FILES_DIR": str(tmp_path_factory.mktemp("files"))}
    options = {"env": environment | settings, "workers": 2}
    pages = Serve(tmp_path_factory.mktemp("pages"), options=["--pages-only"], **options)
    sockets = Serve(tmp_path_factory.mktemp("sockets"), options=["--sockets-only"], **options)
    with pages, sockets, Worker(tmp_path_factory.mktemp("worker"), environment | settings) as worker:
        yield pages, sockets, worker


@pytest.fixture(scope="module")
def nginx(site, authority, tmp_path_factory):
    pages, sockets, _worker = site
    ports = dict(zip(["127.0.0.1:8080", "127.0.0.1:8081"], [pages.port, sockets.port], strict=True))
    static = TOP / "realtime/static"
    folder = tmp_path_factory.mktemp("nginx")
    with Nginx(folder, TWO_PORTS, certificate=authority.issue("localhost"), upstreams=ports, static=static) as found:
        yield found


def restart_workers(server):
    before = server.workers()
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.has_other_workers(before), timeout=RESTARTED_WITHIN, message="Workers stay the same.")


def kill_a_worker(server):
    before = server.workers()
    os.kill(before[0], signal.SIGKILL)
    done = "No worker has replaced the killed one."
    wait_until(lambda: len({*server.workers()} - {*before}) == 1, timeout=RESTARTED_WITHIN, message=done)


def end_database_connections():
    """End the connections of all other processes, as a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def restart(instance):
    instance.kill()
    instance.start()


def test_restart_of_each_part_under_load_loses_nothing(live_cast, nginx, site, redis_server):
    pages, sockets, worker = site
    ticket = live_cast.ticket
    sessions = [session_cookie(user) for user in (live_cast.casey, live_cast.bao)]
    readers = [Page(nginx.url, session, ticket.channel) for session in sessions]
    writer = Writer(nginx.url, sessions[1], ticket)
    for each in (*readers, writer):
        each.start()
    parts = {
        "nothing": lambda: None,
        "nginx reloads": lambda: nginx.process.send_signal(signal.SIGHUP),
        "nginx is killed": lambda: restart(nginx),
        "pages reload": lambda: restart_workers(pages),
        "a socket worker is killed": lambda: kill_a_worker(sockets),
        "Redis restarts": lambda: restart(redis_server),
        "the job worker is killed": lambda: restart(worker),
        "database connections end": end_database_connections,
    }
    for name, disturb in parts.items():
        disturb()
        all_arrive(writer, readers, after=name)
    writer.stop()
    all_arrive(writer, readers, after="the end", more=0)
    for each in readers:
        each.stop()
        assert Counter(each.received.values()) == Counter(writer.accepted)
    stored = ticket.replies.filter(message__startswith="message ").values_list("message", flat=True)
    assert Counter(stored) == Counter(writer.accepted)
