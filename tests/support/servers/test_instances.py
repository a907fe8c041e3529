"""The services that other tests use start, fail on demand, and stop."""

import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest
import redis

from tests.support.servers import instances

TEST_RUN = """
from tests.support.servers import instances

with instances.postgres() as url, instances.redis_server() as server:
    print(url.partition("host=")[2] + "/.s.PGSQL.5432")
    print(server.url.removeprefix("unix://"), flush=True)
    input()
"""


@pytest.fixture(scope="module")
def redis_server():
    with instances.redis_server() as server:
        yield server


@pytest.fixture
def client(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    (tmp_path / "healthz").write_text("ok")
    stand_in_by(monkeypatch, f"-m http.server --bind 127.0.0.1 --directory {tmp_path} {{port}}")
    return tmp_path


def stand_in_by(monkeypatch, words):
    kind = type("StandIn", (instances.Server,), {"words": words})
    monkeypatch.setitem(instances.SERVERS, "stand-in", kind)


def serving(**options):
    return instances.server("stand-in", database_url="sqlite://", **options)


def test_postgres_answers():
    with instances.postgres() as url, psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


# The client of a server that has just died may forget to close a socket.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_redis_restarts_empty_after_a_crash(redis_server, client):
    client.set("who", "casey")
    redis_server.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    redis_server.start()
    assert client.get("who") is None


def test_process_outlives_the_thread_that_starts_it(redis_server, client):
    redis_server.kill()
    starter = threading.Thread(target=redis_server.start)
    starter.start()
    starter.join()
    with pytest.raises(subprocess.TimeoutExpired):
        redis_server.process.wait(timeout=0.5)
    assert client.ping()


def test_cut_pubsub_closes_subscribers_alone(redis_server, client):
    with client.pubsub() as subscriber:
        subscriber.subscribe("news")
        assert subscriber.get_message(timeout=5)["type"] == "subscribe"
        bystander = client.client_id()
        assert redis_server.cut_pubsub() == 1
        with pytest.raises(redis.ConnectionError):
            subscriber.connection.read_response()
        assert client.client_id() == bystander


def test_server_restarts_on_the_port_it_crashed_on(stand_in):
    with serving() as server:
        server.kill()
        assert not server.answers()
        with serving(port=server.port) as successor:
            assert successor.answers()
    assert not successor.answers()


def test_failed_start_raises_with_the_log(monkeypatch):
    stand_in_by(monkeypatch, "-m http.server port-{port}")
    with pytest.raises(RuntimeError, match="invalid int value: 'port-7'"), serving(port=7):
        pass


def test_server_environment_holds_only_the_tests_settings(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://another-server")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    environment = instances.environment({"DATABASE_URL": "sqlite://", "REDIS_URL": None, "DEBUG": "false"})
    assert environment["DEBUG"] == "false"
    assert environment["DJANGO_SETTINGS_MODULE"] == "tikm.settings"
    assert "REDIS_URL" not in environment


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs util-linux's setpriv")
def test_no_process_outlives_a_killed_test_run(monkeypatch):
    monkeypatch.delenv("PGPORT", raising=False)
    command = [sys.executable, "-c", TEST_RUN]
    with subprocess.Popen(command, cwd=instances.TOP, stdin=PIPE, stdout=PIPE, text=True) as run:
        sockets = [Path(run.stdout.readline().strip()) for _ in range(2)]
        assert all(map(answers, sockets))
        run.kill()
    instances.wait_until(lambda: not any(map(answers, sockets)), timeout=10, message="Some still answer.")
    for path in sockets:
        shutil.rmtree(path.parent)


def answers(path):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
