"""`realtime_doctor` recognises broken set-ups, and each printed fix makes its step pass."""

import json
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from realtime.doctor.publish_steps import EVENT
from realtime.doctor.walk import State
from realtime.models import Broadcast
from tests.integration.servers.doctor.conftest import SETTINGS
from tests.integration.servers.doctor.looking import broken, look, mended
from tests.support.servers import instances
from tests.support.servers.certificates import Authority
from tests.support.servers.reverse_proxy import ReverseProxy, Rules


@pytest.fixture(scope="module")
def encrypted(server, authority):
    with ReverseProxy(Rules(server.port), certificate=authority.issue("localhost")) as found:
        yield found


@pytest.fixture
def proxy(encrypted):
    """A right configuration at the beginning of each test."""
    rules = encrypted.rules
    yield encrypted
    encrypted.rules = rules


def test_right_set_up_passes_every_step_and_leaves_nothing_behind(proxy, admin):
    output = StringIO()
    with suppress(SystemExit):
        call_command("realtime_doctor", url=proxy.url, json=True, stdout=output)
    report = json.loads(output.getvalue())
    assert report["broken"] is None, report
    states = {each["step"]: each["state"] for each in report["steps"]}
    assert set(states.values()) == {"ok"}, report
    assert {"tls", "event log", "log tailer", "channel layer", "HTTP API", "silence"} <= states.keys()
    assert not Broadcast.objects.filter(event=EVENT).exists()
    assert not admin.usersession_set.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone()[0] == 0


def test_command_names_the_first_broken_step_and_fails(proxy):
    proxy.change(upstream=instances.free_port())
    output = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("realtime_doctor", url=proxy.url, quick=True, stdout=output)
    assert end.value.code == 1
    assert output.getvalue().splitlines()[-1].startswith("First mend “server”: Start `manage.py serve`, and set the")


@pytest.mark.parametrize("url", ["desk.example.com", "ftp://desk.example.com", "https://desk.example.com:0"])
def test_url_that_is_none_is_refused(url):
    with pytest.raises(CommandError, match=r"such as https://desk\.example\.com"):
        call_command("realtime_doctor", url=url)


def test_port_without_a_listener(proxy):
    broken(f"https://localhost:{instances.free_port()}", "address", "give another port with --url")
    mended(proxy.url, "address")


def test_host_that_is_unknown(proxy):
    broken("https://desk.invalid", "address", "give the right one with --url")


def test_proxy_with_the_port_of_another_server(proxy, server):
    proxy.change(upstream=instances.free_port())
    broken(proxy.url, "server", "set the proxy's upstream to its --port")
    proxy.change(upstream=server.port)
    mended(proxy.url, "server")


@pytest.mark.parametrize(
    ("host", "days", "fix"),
    [("desk.example.com", 90, "Install a certificate for localhost"), ("localhost", -1, "Renew it")],
)
def test_certificate_that_browsers_refuse(server, authority, host, days, fix):
    for certificate, check in ((authority.issue(host, days=days), broken), (authority.issue("localhost"), mended)):
        with ReverseProxy(Rules(server.port), certificate=certificate) as proxy:
            check(proxy.url, "tls", *([fix] if check is broken else []))


def test_certificate_that_expires_soon(server, authority):
    with ReverseProxy(Rules(server.port), certificate=authority.issue("localhost", days=3)) as proxy:
        broken(proxy.url, "tls", "Renew it", State.ADVICE)


def test_certificate_of_an_authority_that_is_unknown(server, authority, tmp_path):
    certificate = Authority(tmp_path).issue("localhost")
    with ReverseProxy(Rules(server.port), certificate=certificate) as proxy:
        broken(proxy.url, "tls", "a public authority with its whole chain")


def test_host_that_the_server_does_not_serve(proxy):
    proxy.change(host="desk.example.com")
    broken(proxy.url, "server", "have the proxy pass on the Host header")
    proxy.change(host="")
    mended(proxy.url, "server")


def test_clock_that_is_wrong(proxy):
    proxy.change(shifts_date="Sun, 29 Nov 2020 12:00:00 GMT")
    broken(proxy.url, "clocks", "timedatectl set-ntp true")
    proxy.change(shifts_date="")
    mended(proxy.url, "clocks")


def test_upgrade_that_is_not_forwarded(proxy):
    proxy.change(forwards_upgrade=False)
    broken(proxy.url, "upgrade", "proxy_set_header Upgrade $http_upgrade")
    proxy.change(forwards_upgrade=True)
    mended(proxy.url, "upgrade")


def test_silent_socket_that_the_proxy_cuts(proxy):
    proxy.change(idle_timeout=0.5)
    broken(proxy.url, "silence", "proxy_read_timeout 75s")
    proxy.change(idle_timeout=75)
    mended(proxy.url, "silence")


def test_scheme_that_the_proxy_does_not_forward(proxy):
    proxy.change(forwards_scheme=False)
    broken(proxy.url, "forms", "have it send X-Forwarded-Proto")
    proxy.change(forwards_scheme=True)
    mended(proxy.url, "forms")


def test_origin_that_the_server_refuses(proxy):
    proxy.change(host="localhost")  # without the port
    broken(proxy.url, "forms", f"CSRF_TRUSTED_ORIGINS={proxy.url}")
    broken(proxy.url, "origin", "proxy_set_header Host $http_host")
    proxy.change(host="")
    mended(proxy.url, "origin")


def test_keys_that_differ(proxy, settings):
    right = settings.REALTIME
    settings.REALTIME = right | {"APP_KEY": "other"}
    broken(proxy.url, "origin", "Set REALTIME_APP_KEY to the same value")
    settings.REALTIME = right | {"APP_SECRETS": ["another secret, long enough"]}
    broken(proxy.url, "HTTP API", "Set REALTIME_APP_KEY and REALTIME_APP_SECRET to the same values")
    settings.REALTIME = right
    mended(proxy.url, "HTTP API")


def test_session_that_the_server_does_not_know(proxy, settings):
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "another secret key, long enough to be one"
    broken(proxy.url, "session", "Give the command the server's DATABASE_URL and SECRET_KEY")
    settings.SECRET_KEY = key
    mended(proxy.url, "session")


def test_http_api_that_the_proxy_keeps_to_itself_is_no_fault(proxy):
    proxy.change(refuses="/apps/")
    finding = look(proxy.url, "HTTP API")
    assert (finding.state, finding.found[:35]) == (State.UNTESTED, "the proxy does not serve /apps/ to ")


def test_redis_that_is_down_and_a_log_tailer_that_is_stopped(proxy, server, environment, settings, redis_server):
    redis_server.kill()
    broken(proxy.url, "redis", "Start it, or set REDIS_URL")
    redis_server.start()
    mended(proxy.url, "redis")
    stopped = environment | SETTINGS | {"TEST_TAIL_INTERVAL": "3600"}
    with instances.server("uvicorn", database_url=environment["DATABASE_URL"], env=stopped) as other:
        proxy.change(upstream=other.port)
        broken(proxy.url, "log tailer", "Reload the server (SIGHUP)")
    proxy.change(upstream=server.port)
    mended(proxy.url, "log tailer")


def test_processes_that_only_the_log_connects(proxy, settings, monkeypatch):
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    reports = [object(), object()]
    monkeypatch.setattr("realtime.presence.redis_store.RedisPresenceStore.processes", lambda _: reports)
    right = settings.CHANNEL_LAYERS
    settings.CHANNEL_LAYERS = {"default": memory}
    broken(proxy.url, "processes", "Set REDIS_URL", State.ADVICE)
    settings.CHANNEL_LAYERS = right
    mended(proxy.url, "processes")


def test_server_that_has_another_database(proxy, monkeypatch):
    monkeypatch.setattr("realtime.presence.redis_store.RedisPresenceStore.processes", lambda _: [])
    broken(proxy.url, "processes", "with the same DATABASE_URL, REDIS_URL")


def test_database_at_another_address(proxy, monkeypatch):
    options = {"host": "127.0.0.1", "connect_timeout": 5}
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(connection.settings_dict, "OPTIONS", options)
        patch.setattr(
            "realtime.doctor.databases.settings.DATABASES", {"default": {"OPTIONS": options | {"pool": True}}}
        )
        broken(proxy.url, "database", "set DATABASE_URL to its host and port")
    mended(proxy.url, "database")
