"""`realtime_config` prints values and sources, and no secrets."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from realtime.monitoring import effective_config

SECRET, OLD_SECRET = "zQ9-the-secret-of-the-desk", "hunter2"
PASSWORDS = "pa55word"


def printed(*args: str) -> str:
    out = StringIO()
    call_command("realtime_config", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def read() -> Callable[[], dict[str, Any]]:
    return lambda: json.loads(printed("--json"))


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    """Put a secret into each setting that can hold one."""
    settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": (SECRET, OLD_SECRET)}
    settings.REALTIME |= {"ENCRYPTION_MASTER_KEY": SECRET.encode(), "REDIS_URL": f"redis://:{PASSWORDS}@cache:6379/1"}
    hosts = [
        f"redis://:{PASSWORDS}@cache:6379/1",
        f"redis://me:{PASSWORDS}@other/0?password={PASSWORDS}",
        {"address": f"rediss://:{PASSWORDS}@third:6380", "password": PASSWORDS},
        {"host": "fourth", "port": 6381, "password": PASSWORDS},
        ("fifth", 6382),
    ]
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": hosts}}
    }


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_secrets_are_masked(how: list[str]) -> None:
    out = printed(*how)
    assert "cache:6379/1" in out
    assert [
        word for word in (PASSWORDS, SECRET, SECRET[:3], SECRET[-3:], OLD_SECRET, OLD_SECRET[:2]) if word in out
    ] == []


def test_only_long_secrets_show_two_characters(read: Callable) -> None:
    assert read()["broadcasting"]["app_secrets"]["value"] == ["zQ********", "********"]


def test_channel_layer_hosts_have_no_passwords(read: Callable) -> None:
    assert read()["layer"]["hosts"]["value"] == [
        "redis://:********@cache:6379/1",
        "redis://me:********@other/0?********",
        "rediss://:********@third:6380",
        "fourth:6381",
        "fifth:6382",
    ]


def test_missing_redis_is_explained(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert "other processes receive events through their log tailer" in printed()


def test_each_value_has_its_source(settings: Settings, read: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCAST_CONNECTION", "log")
    settings.REALTIME = {**settings.REALTIME, "CONNECTION": "log"}
    values = read()["broadcasting"]
    assert values["connection"] == {"value": "log", "source": "BROADCAST_CONNECTION in the environment"}
    assert values["meaning"]["value"] == "events are written to the application's log only"
    assert values["channels"] == {"value": "tikm.channels", "source": "settings.REALTIME"}
    assert values["retention_days"] == {"value": 30, "source": "default"}


@pytest.mark.parametrize(
    ("database", "place"),
    [
        ({"NAME": "tikm", "HOST": "db", "PORT": 5432, "PASSWORD": PASSWORDS, "USER": "me"}, "db:5432/tikm"),
        ({"NAME": "/postgres", "HOST": "", "OPTIONS": {"host": "/run/pg"}}, "/run/pg/postgres"),
        ({"NAME": "/srv/var/tikm.sqlite3"}, "/srv/var/tikm.sqlite3"),
    ],
)
def test_database_has_no_password(database: dict, place: str) -> None:
    assert effective_config._database_address(database) == place


def test_webhook_url_is_shown_without_path() -> None:
    receivers = (("https://me:pa55word@hooks.example/T0/B0/token?x=1", ("channel_occupied",)),)
    assert effective_config._redact("webhooks", receivers) == [
        ["https://me:********@hooks.example/********", ["channel_occupied"]]
    ]


def test_text_output_is_a_table() -> None:
    lines = [line.split() for line in printed().splitlines()]
    assert ["Broadcasting"] in lines
    assert ["retention_days", "30", "default"] in lines
    assert ["max_message_size", "16384", "realtime/limits.py"] in lines
    assert ["vendor", "sqlite", "settings.DATABASES"] in lines
