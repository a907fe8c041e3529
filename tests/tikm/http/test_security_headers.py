"""No cache keeps what names a user, and each response says who may embed it."""

import os
import re
import runpy
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.cast import Cast
from tests.support.servers.instances import TOP
from tests.tikm.test_settings import GOOD

PERSONAL = [
    "/", "/tickets/", "/tickets/new/", "/profile/", "/admin/", "/nonexistent", "/tickets/x.css", "/static/x.css",
    "/tickets/00000000-0000-4000-8000-000000000000/", "/files/00000000-0000-4000-8000-000000000000/", "/tickets",
    "/admin/x/", "/profile/password/", "/api/v1/me/", "/api/v1/x/", "/session/", "/broadcasting/history",
    "/broadcasting/auth", "/api/docs/",
]  # fmt: skip


def is_kept_by_no_cache(value: str) -> bool:
    return {"private", "no-store"} <= set(re.split(r", ?", value))


@pytest.mark.django_db
@pytest.mark.parametrize("path", PERSONAL)
@pytest.mark.parametrize("name", ["ada", "casey"])
def test_no_cache_keeps_what_a_user_requests(cast: Cast, name: str, path: str) -> None:
    client = Client()
    client.force_login(getattr(cast, name))
    assert is_kept_by_no_cache(client.get(path)["Cache-Control"])


@pytest.mark.django_db
def test_no_cache_keeps_errors(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(cast.casey)
    refused = client.post("/tickets/new/")
    monkeypatch.setattr("tickets.views.tickets.render", None)
    for answer, status in ((refused, 403), (client.get("/tickets/new/"), 500)):
        assert (answer.status_code, is_kept_by_no_cache(answer["Cache-Control"])) == (status, True)
    wrong_host = client.get("/", headers={"Host": "evil.example"})
    assert (wrong_host.status_code, is_kept_by_no_cache(wrong_host["Cache-Control"])) == (400, True)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico", "/.well-known/security.txt"])
def test_what_is_the_same_for_all_may_be_kept(path: str) -> None:
    assert "public" in Client().get(path)["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/nonexistent", "/robots.txt", "/api/v1/me/", "/static/img/mark.svg"])
def test_every_response_has_the_headers(path: str) -> None:
    answer = Client().get(path)
    answer.close()
    assert "camera=()" in answer["Permissions-Policy"]
    assert "publickey-credentials" not in answer["Permissions-Policy"], "Passkeys need it."
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_https_is_remembered_behind_a_trusted_proxy_only(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 31536000
    forwarded = {"X-Forwarded-Proto": "https"}
    assert "Strict-Transport-Security" not in Client().get("/login/")
    assert "Strict-Transport-Security" not in Client().get("/login/", headers=forwarded)
    settings.REALTIME = {**settings.REALTIME, "TRUSTED_PROXIES": ["127.0.0.1"]}
    assert Client().get("/login/", headers=forwarded)["Strict-Transport-Security"] == "max-age=31536000"


def product(**environment: str) -> dict:
    with patch.dict(os.environ, environment, clear=True):
        return runpy.run_path(str(TOP / "tikm/settings.py"))


def test_production_remembers_https_and_prefixes_cookies() -> None:
    production, development = product(**GOOD), product(DEBUG="true")
    assert (production["SECURE_HSTS_SECONDS"], development["SECURE_HSTS_SECONDS"]) == (31536000, 0)
    assert product(**GOOD, HSTS_SECONDS="0")["SECURE_HSTS_SECONDS"] == 0
    for name in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"):
        assert production[name].startswith("__Host-")
        assert name not in development
    assert production["SESSION_COOKIE_SECURE"]
    assert production["CSRF_COOKIE_SECURE"]
    for name in ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH"):
        assert name not in production, "Browsers refuse the prefix with a Domain or another path."


@pytest.mark.django_db
@pytest.mark.parametrize("contact", ["", "mailto:security@example.com"])
def test_security_contact_is_valid(settings: Settings, contact: str) -> None:
    settings.SECURITY_CONTACT = contact
    answer = Client().get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == contact or fields["Contact"].startswith("http://testserver/tickets/new/")
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=170) < expires - datetime.now(UTC) < timedelta(days=365)
    assert fields["Canonical"] == "http://testserver/.well-known/security.txt"
