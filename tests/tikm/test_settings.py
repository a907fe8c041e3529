"""Invalid settings stop the start with a message, and a release serves files under hashed names."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from tests.support.servers.instances import TOP
from tikm import environment

GOOD = {
    "SECRET_KEY": "s" * 50,
    "REALTIME_APP_SECRET": "t" * 20,
    "ALLOWED_HOSTS": "desk.example",
    "DEFAULT_FROM_EMAIL": "TIKM <desk@desk.example>",
}


def start(**environment: str) -> str:
    """Return the last line that a start with this environment prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, env={**kept, **environment}, cwd=TOP, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def read(**environment: str) -> str:
    """Return the error of reading the settings in this environment, or an empty string."""
    with patch.dict(os.environ, environment, clear=True):
        try:
            runpy.run_path(str(TOP / "tikm/settings.py"))
        except ImproperlyConfigured as error:
            return str(error)
    return ""


def test_valid_start_prints_nothing() -> None:
    assert start(**GOOD) == "System check identified no issues (0 silenced)."
    assert read(DEBUG="true") == ""


def test_configuration_error_is_the_last_line_of_a_start() -> None:
    assert start(**GOOD, REALTIME_APP_ID="tikm").endswith("REALTIME_APP_ID is 'tikm'; set it to a number, such as 1.")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"DEFAULT_FROM_EMAIL": ""},
            "Set DEFAULT_FROM_EMAIL to the sender of mails, such as TIKM <desk@example.com>.",
        ),
        ({"DEFAULT_FROM_EMAIL": "the desk"}, "DEFAULT_FROM_EMAIL is 'the desk'; set it to an address"),
        ({"DEFAULT_FROM_EMAIL": "desk@"}, "DEFAULT_FROM_EMAIL is 'desk@'; set it to an address"),
        ({"DEFAULT_FROM_EMAIL": "a@b.example\nBcc: c@d.example"}, "set it to an address"),
        ({"JOBS_BROKER": "redis"}, "JOBS_BROKER is 'redis'; set REDIS_URL too"),
        ({"JOBS_BROKER": "rabbit"}, "JOBS_BROKER is 'rabbit'; set it to one of: orm, redis."),
        ({"SECRET_KEY": ""}, "Set SECRET_KEY to a long random string"),
        ({"SECRET_KEY": "insecure-development-only-" + "0" * 32}, "SECRET_KEY is the development default"),
        ({"REALTIME_APP_SECRET": ""}, "Set REALTIME_APP_SECRET"),
        ({"REALTIME_APP_SECRET": "a,b,c"}, "REALTIME_APP_SECRET takes one secret, or two"),
        ({"REALTIME_APP_ID": "tikm"}, "REALTIME_APP_ID is 'tikm'; set it to a number"),
        ({"REALTIME_APPKEY": "x"}, "REALTIME_APPKEY is not a setting"),
        *(
            ({name: "x"}, f"{name} is no longer read; its successor is {successor}. Remove it.")
            for name, successor in [
                *environment.REVERB_NAMES.items(),
                ("REVERB_VERBOSE", "no setting"),
                ("VITE_REVERB_APP_KEY", environment.VITE_SUCCESSOR),
            ]
        ),
        *(
            ({"SITE_URL": url}, "set it to scheme and host, as in https://desk.example.com")
            for url in (
                "desk.example.com",
                "https://desk.example.com/help",
                "ftp://desk",
                "https://a b",
                "https://a?b",
            )
        ),
        (
            {"STAFF_IDLE_MINUTES": "5"},
            "STAFF_IDLE_MINUTES is '5'; set it to a number from 10 to 20160, such as 60, or to 0",
        ),
        ({"STAFF_IDLE_MINUTES": "-1"}, "STAFF_IDLE_MINUTES is '-1'; set it to"),
        ({"REALTIME_SCHEME": "wss"}, "REALTIME_SCHEME is 'wss'; set it to one of"),
        ({"REDIS_PREFIX": "our desk"}, "REDIS_PREFIX is 'our desk'; set it to 1 to 40 letters"),
        (
            {"BROADCAST_CONNECTION": "reverb"},
            "BROADCAST_CONNECTION is 'reverb'; set it to one of: channels, log, null",
        ),
    ],
)
def test_configuration_error_stops_the_start(change: dict[str, str], sentence: str) -> None:
    assert sentence in read(**{**GOOD, **change})


REDIS = {**GOOD, "REDIS_URL": "redis://cache:6379/0", "DATABASE_URL": "postgres://tikm@db/tikm"}


def prefixes(**environment: str) -> set[str]:
    """Return the prefixes of everything that an installation with this environment keeps in Redis."""
    with patch.dict(os.environ, environment, clear=True):
        product = runpy.run_path(str(TOP / "tikm/settings.py"))
    return {
        product["REDIS_PREFIX"],
        product["REALTIME"]["REDIS_PREFIX"],
        product["CHANNEL_LAYERS"]["default"]["CONFIG"]["prefix"],
        product["CACHES"]["default"]["KEY_PREFIX"],
    }


@pytest.mark.parametrize(
    "change",
    [
        {"REDIS_URL": "redis://cache:6379/1"},
        {"REDIS_URL": "redis://cache:6379?db=2"},
        {"REDIS_URL": "unix:///run/redis.sock?db=3"},
        {"SECRET_KEY": "u" * 50},
        {"DATABASE_URL": "postgres://tikm@db/staging"},
    ],
)
def test_installations_have_different_prefixes_in_redis(change: dict[str, str]) -> None:
    one, other = prefixes(**REDIS), prefixes(**{**REDIS, **change})
    assert len(one) == len(other) == 1
    assert not one & other


@pytest.mark.parametrize(
    "change",
    [
        {"REDIS_URL": "redis://cache:6379"},
        {"REDIS_URL": "redis://:secret@10.0.0.7:6379/0"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"DATABASE_URL": "postgres://tikm:secret@10.0.0.8:5432/tikm"},
        {"ALLOWED_HOSTS": "10.0.0.9"},
    ],
)
def test_processes_of_an_installation_share_the_prefix(change: dict[str, str]) -> None:
    assert prefixes(**REDIS) == prefixes(**{**REDIS, **change})


def test_redis_prefix_can_be_set() -> None:
    assert prefixes(**REDIS, REDIS_PREFIX="desk-a") == {"desk-a"}


def test_webhooks_are_parsed_as_urls_and_events(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.webhooks("REALTIME_WEBHOOKS") == []
    value = " https://a.example/?a=1  member_added cache_miss , http://[2001:db8::1]/"
    monkeypatch.setenv("REALTIME_WEBHOOKS", value)
    assert environment.webhooks("REALTIME_WEBHOOKS") == [
        ("https://a.example/?a=1", ["member_added", "cache_miss"]),
        "http://[2001:db8::1]/",
    ]


@pytest.mark.django_db
def test_modules_are_served_under_hashed_names(
    settings: Settings, tmp_path: Path, client: Client, django_user_model: type
) -> None:
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    client.force_login(django_user_model.objects.create_user("a@example.com", name="A"))
    page = client.get("/tickets/").text
    script = client.get(re.search(r'src="(/modules\.js\?v=[0-9a-f]{12})"', page)[1])
    assert "immutable" in script["Cache-Control"]
    imports = json.loads(re.search(r"const imports = (.*)", script.text)[1])
    assert "/static/js/live/event-stream.js" in imports
    for address in imports.values():
        assert re.search(r"\.[0-9a-f]{12}\.js$", address)
        assert (tmp_path / address.removeprefix("/static/")).exists()
    entry = (tmp_path / imports["/static/js/app.js"].removeprefix("/static/")).read_text()
    for module in re.findall(r'import "\./(.*?)"', entry):
        assert f"/static/js/{module}" in imports


def test_folder_for_mails_is_where_the_url_says() -> None:
    with patch.dict(os.environ, {"EMAIL_URL": "filemail:///srv/mail"}):
        found = environment.email_url("EMAIL_URL", default="")
    assert (found["EMAIL_FILE_PATH"], found["EMAIL_BACKEND"]) == ("/srv/mail", "jobs.mail_backends.FileBackend")
    with patch.dict(os.environ, {"EMAIL_URL": "smtp://mail.example"}):
        assert environment.email_url("EMAIL_URL", default="")["EMAIL_BACKEND"] == "jobs.mail_backends.SMTPBackend"
