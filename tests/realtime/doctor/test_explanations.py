"""Errors of the database and of Redis become a sentence on what is wrong and what to set."""

import psycopg
import pytest
import redis
from django.db import OperationalError, ProgrammingError, connection

from realtime.doctor import databases, redis_servers

# As PostgreSQL, its client library and SQLite word them.
DATABASE_ERRORS = {
    'connection to server at "10.0.0.1", port 5433 failed: Connection refused': "Start it, or set DATABASE_URL",
    "failed to resolve host 'db': [Errno -2] Name or service not known": "Set DATABASE_URL to a host that exists",
    'FATAL:  password authentication failed for user "tikm"': "Set user and password in DATABASE_URL",
    "fe_sendauth: no password supplied": "Set user and password in DATABASE_URL",
    'FATAL:  database "desk" does not exist': "Create it (createdb desk)",
    'FATAL:  role "tikm" does not exist': "Create it (createuser tikm)",
    "connection timeout expired": "Check its firewall and listen_addresses",
    "FATAL:  sorry, too many clients already": "Raise its max_connections",
    "unable to open database file": "Set DATABASE_URL to a file in a folder that exists",
    "attempt to write a readonly database": "Make them the owner of both",
    "file is not a database": "Set DATABASE_URL to another file",
    "database is locked": "to a PostgreSQL server",
    "something that no release has said": "Check DATABASE_URL",
    'relation "jobs_job" does not exist': "run manage.py migrate",
    "no such table: jobs_job": "run manage.py migrate",
}
REDIS_ERRORS = {
    "Error -2 connecting to cache:6379. Name or service not known.": "Set REDIS_URL to a host that exists",
    "Error 111 connecting to localhost:1. Connection refused.": "Start it, or set REDIS_URL to its address",
    "Authentication required.": "Set REDIS_URL with the password",
    "You can't write against a read only replica.": "Set REDIS_URL to the primary",
    "DB index is out of range": "Set the number in REDIS_URL",
    "something that no release has said": "Check REDIS_URL",
}


@pytest.fixture
def address(monkeypatch):
    found = {"HOST": "10.0.0.1", "PORT": 5433, "NAME": "desk", "USER": "tikm", "PASSWORD": "very secret"}
    for name, value in found.items():
        monkeypatch.setitem(connection.settings_dict, name, value)


@pytest.mark.parametrize("text", DATABASE_ERRORS)
def test_database_error_names_the_fix_and_no_password(address, text):
    problem = databases.explain(OperationalError(f"{text}\n"))
    assert DATABASE_ERRORS[text] in problem.fix
    assert "secret" not in str(problem)
    assert "{" not in str(problem)


def test_fault_of_a_query_is_no_fault_of_the_installation(address):
    assert databases.explain(ProgrammingError('syntax error at or near "SELEC"')) is None


def test_words_of_the_installed_client_library_are_known(address):
    with pytest.raises(psycopg.OperationalError) as error:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=5")
    assert databases.explain(error.value).found == "PostgreSQL refuses connections to 10.0.0.1 port 5433."


@pytest.mark.parametrize("text", REDIS_ERRORS)
def test_redis_error_names_the_fix_and_no_password(settings, text):
    settings.REALTIME = settings.REALTIME | {"REDIS_URL": "redis://:very-secret@10.0.0.1:6380/0"}
    problem = redis_servers.explain(redis.ConnectionError(text))
    assert REDIS_ERRORS[text] in problem.fix
    assert "secret" not in str(problem)
