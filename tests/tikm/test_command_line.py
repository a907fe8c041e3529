"""A command ends in a sentence where the installation is at fault, and in a traceback where the code is."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, OperationalError

from tests.support.servers.instances import TOP
from tests.tikm.test_settings import GOOD
from tikm import command_line


@pytest.fixture
def failing(monkeypatch):
    """Have every command fail with an error."""

    def fail_with(error):
        def fail(_words):
            raise error

        monkeypatch.setattr(command_line, "execute_from_command_line", fail)

    return fail_with


def run(*words):
    with pytest.raises(SystemExit) as end:
        command_line.run(["manage.py", *words])
    return end.value.code


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImproperlyConfigured("Set SECRET_KEY."), "Set SECRET_KEY."),
        (OperationalError("no such table: jobs_job"), "The database is not up to date: run manage.py migrate."),
        (PermissionError(13, "Permission denied", "/srv/x"), "This user may not use /srv/x. Run the command as the"),
    ],
)
def test_fault_of_the_installation_ends_in_a_sentence(failing, capsys, error, sentence):
    failing(error)
    assert run("worker") == 1
    assert capsys.readouterr().err.startswith(sentence)


def test_cause_that_the_framework_has_wrapped_is_found(failing, capsys):
    error = RuntimeError("it failed")
    error.__cause__ = OperationalError("database is locked")
    failing(error)
    assert run("migrate") == 1
    assert "DATABASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize("error", [IntegrityError("duplicate key"), ValueError("a mistake")])
def test_fault_of_the_code_keeps_its_traceback(failing, error):
    failing(error)
    with pytest.raises(type(error)):
        command_line.run(["manage.py", "migrate"])


def test_traceback_is_shown_on_request(failing):
    failing(OperationalError("connection refused"))
    with pytest.raises(OperationalError):
        command_line.run(["manage.py", "migrate", "--traceback"])


def test_settings_of_the_command_line_are_read_and_help_needs_none():
    for words in (["check", "--settings", "tests.settings"], ["help"]):
        command = [sys.executable, "manage.py", *words]
        environment = {"PATH": os.environ["PATH"]}
        assert subprocess.run(command, env=environment, cwd=TOP, capture_output=True, check=False).returncode == 0


def test_wrong_database_address_takes_one_line_and_no_retries():
    url = "postgres://tikm:very-secret@127.0.0.1:1/tikm"
    command = [sys.executable, "manage.py", "migrate"]
    environment = {"PATH": os.environ["PATH"], **GOOD, "DATABASE_URL": url}
    done = subprocess.run(command, env=environment, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (done.stdout + done.stderr).splitlines() == [
        "PostgreSQL refuses connections to 127.0.0.1 port 1. Start it, or set DATABASE_URL to its host and port."
    ]
