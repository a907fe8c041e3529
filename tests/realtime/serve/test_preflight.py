"""`serve` refuses settings of development and an unusable database, with a sentence for each."""

import socket

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError
from django.db.migrations.executor import MigrationExecutor

from realtime.management.commands import serve

VALID = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["desk.example.com"],
    "SECRET_KEY": "long enough to be a secret",
}
WRONG = {
    "DEBUG is on": {"DEBUG": True},
    "ALLOWED_HOSTS is empty": {"ALLOWED_HOSTS": []},
    "ALLOWED_HOSTS is *": {"ALLOWED_HOSTS": ["desk.example.com", "*"]},
    "is the development default: set it to": {"SECRET_KEY": "django-insecure-" + "x" * 40},
    "SECRET_KEY is short, repeats itself": {"SECRET_KEY": "a" * 50},
    "REALTIME_APP_SECRET is short": {"secrets": ["long enough to be one", "short"]},
    "REALTIME_APP_SECRET is short, repeats itself": {"secrets": ["abab" * 10]},
    "REALTIME_APP_KEY is '': set it to": {"key": ""},
    "REALTIME_APP_KEY is 'a/b': set it to": {"key": "a/b"},
    "run manage.py collectstatic": {"static": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}


def errors_of(
    settings, *, secrets=("long enough to be a secret too",), key="tikm", static="", redis="", options=(), **changed
):
    for name, value in (VALID | changed).items():
        setattr(settings, name, value)
    settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": secrets, "APP_KEY": key, "REDIS_URL": redis}
    if static:
        settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": static}}
    # Standard input is no listening socket, so that it never serves.
    with pytest.raises(CommandError) as error:
        call_command("serve", **{"fd": 0, **dict(options)})
    return str(error.value).splitlines()


@pytest.mark.parametrize("sentence", WRONG)
def test_each_development_setting_is_named(db, settings, tmp_path, sentence):
    settings.STATIC_ROOT = tmp_path
    lines = errors_of(settings, **WRONG[sentence])
    assert len(lines) == 1
    assert sentence in lines[0]


def test_unmigrated_database_is_named(db, settings, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["one"])
    assert errors_of(settings) == ["The database is not up to date: run manage.py migrate."]


def test_unreachable_database_is_named(db, settings, monkeypatch):
    def fail(*_):
        raise OperationalError("connection refused\n")

    monkeypatch.setattr(MigrationExecutor, "__init__", fail)
    line = "PostgreSQL refuses connections to this machine port 5432. Start it, or set DATABASE_URL to its host"
    assert errors_of(settings)[0].startswith(line)


def test_folder_for_attachments_that_cannot_be_written_is_named(db, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.STORAGES = settings.STORAGES | {"attachments": {"OPTIONS": {"location": str(tmp_path / "file/files")}}}
    assert errors_of(settings) == [
        f"This user may not write the folder for attachments, {tmp_path}/file/files. "
        f"Make them the owner of {tmp_path}/file, or set FILES_DIR to another folder."
    ]


def test_redis_that_does_not_answer_is_named_and_does_not_prevent_serving(db, settings, tmp_path, capsys):
    lines = errors_of(settings, redis=f"unix://{tmp_path}/redis.sock")
    assert lines[0].startswith("--fd 0 is no listening socket")
    assert "Start it, or set REDIS_URL to its address" in capsys.readouterr().err


def test_all_problems_are_named_at_once(db, settings):
    assert len(errors_of(settings, DEBUG=True, ALLOWED_HOSTS=[])) == 2


def test_sockets_alone_need_no_static_files(db, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    static = WRONG["run manage.py collectstatic"]
    assert errors_of(settings, **static, options={"sockets_only": True}.items())[0].startswith("--fd 0 is no ")


def test_valid_project_goes_on_to_listen(db, settings):
    assert errors_of(settings)[0].startswith("--fd 0 is no listening socket")


def test_port_in_use_is_named(db, settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        lines = errors_of(settings, options={"fd": None, "port": port}.items())
    assert lines == [f"Cannot listen on 127.0.0.1 port {port}: Address already in use"]


@pytest.mark.parametrize("options", [{"workers": 0}, {"drain": -1}])
def test_impossible_options_are_named(db, settings, options):
    assert errors_of(settings, options=options.items()) == ["--workers must be at least 1, --drain at least 0."]


def test_system_checks_run_before_serving(settings):
    settings.REALTIME = {**settings.REALTIME, "TRUSTED_PROXIES": ["nginx"]}
    with pytest.raises(SystemCheckError, match="'nginx' does not appear to be an IPv4 or IPv6 network"):
        call_command("serve", fd=0, skip_checks=False)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="This system has no IPv6.")
def test_host_of_all_addresses_is_reached_by_both_families():
    with serve._bind("::", 0) as listener:
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=5).close()
