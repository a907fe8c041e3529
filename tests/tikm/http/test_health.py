"""Probes are answered whatever Host they name; a wrong Host elsewhere is one line in the log."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

HOSTS = ["10.42.8.201:8080", "", "not a host", "[::1]:80", "desk.example.com:1337"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("method", ["get", "head"])
def test_probe_is_answered_for_any_host(host: str, method: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["desk.example.com"]
    answer = getattr(Client(), method)("/healthz", headers={"host": host})
    assert (answer.status_code, answer.content) == (200, b"ok\n" if method == "get" else b"")


def test_probe_with_another_method_is_refused() -> None:
    assert Client().post("/healthz").status_code in (404, 405)


@pytest.mark.django_db
def test_readiness_is_that_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Client().get("/readyz", headers={"host": "10.42.8.201:8080"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")

    def fail() -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", lambda _: fail())
        assert Client().get("/readyz").status_code == 503
        assert Client().get("/healthz").status_code == 200


def test_wrong_host_elsewhere_is_one_line_in_the_log(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["desk.example.com"]
    handlers = logging.getLogger("django.security.DisallowedHost").handlers
    handler = next(each for each in handlers if each.filters)
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(written := StringIO())
    try:
        assert Client().get("/login/", headers={"host": "10.42.8.201:8080"}).status_code == 400
    finally:
        handler.setStream(before)
    assert written.getvalue().count("\n") == 1
    assert "10.42.8.201:8080" in written.getvalue()
