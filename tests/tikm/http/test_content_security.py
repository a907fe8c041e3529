"""Pages may open the socket that their configuration names, and what their policy blocks is in the log."""

import json
import logging
import os
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from realtime.utils.limited_log import BURST, LimitedLog
from tests.support.cast import Cast
from tikm.http import content_security

HTTP, HTTPS = "http://desk.example", "https://desk.example"
LOGGER = "tikm.http.content_security"


@pytest.fixture(autouse=True)
def _fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_security, "violations", LimitedLog(logging.getLogger(LOGGER)))


def directives(response: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";") if part.strip()]
    return {name: values for name, *values in parts}


# The settings, the URL of the page, and the socket that static/js/live/echo-options.js opens.
@pytest.mark.parametrize(
    ("configured", "page", "socket"),
    [
        ({"PORT": 6001}, HTTP, "ws://desk.example:6001"),
        ({"PORT": 6001}, f"{HTTPS}:8443", "wss://desk.example:6001"),
        ({"SCHEME": "https"}, HTTP, "wss://desk.example"),
        ({"SCHEME": "https"}, f"{HTTP}:8000", "wss://desk.example:8000"),
        ({"SCHEME": "http"}, HTTPS, "ws://desk.example"),
        ({"SCHEME": "https", "PORT": 443}, HTTP, "wss://desk.example:443"),
        ({"HOST": "ws.example"}, HTTPS, "wss://ws.example"),
        ({"HOST": "ws.example"}, f"{HTTP}:8000", "ws://ws.example:8000"),
        ({"HOST": "ws.example", "PORT": 6001}, HTTPS, "wss://ws.example:6001"),
        ({"HOST": "ws.example", "PORT": 6001, "SCHEME": "https"}, f"{HTTP}:8000", "wss://ws.example:6001"),
        ({"PORT": 6001}, "http://[::1]:8000", "ws://[::1]:6001"),
    ],
)
def test_policy_allows_the_socket_that_the_page_opens(
    cast: Cast, settings: Settings, configured: dict[str, Any], page: str, socket: str
) -> None:
    settings.REALTIME, settings.ALLOWED_HOSTS = {**settings.REALTIME, **configured}, ["desk.example", "[::1]"]
    client = Client()
    client.force_login(cast.casey)
    scheme, _, host = page.partition("://")
    response = client.get("/tickets/", secure=scheme == "https", headers={"Host": host})
    config = json.loads(re.search(r'id="live-config"[^>]*>(.*?)</script>', response.text)[1])
    assert {key: config[key.lower()] for key in configured} == configured
    assert {"'self'", socket} <= set(directives(response)["connect-src"])


def test_policy_names_no_other_socket_by_default(cast: Cast) -> None:
    assert directives(Client().get("/login/"))["connect-src"] == ["'self'"]


def test_wrong_host_is_a_bad_request_with_a_socket_elsewhere(cast: Cast, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "PORT": 6001}
    assert Client().get("/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/login/", "/nonexistent", "/admin/login/"])
def test_pages_ask_for_reports(cast: Cast, path: str) -> None:
    plain, secure = Client().get(path), Client().get(path, secure=True)
    assert directives(plain)["report-uri"] == directives(secure)["report-uri"] == ["/csp-reports/"]
    assert "report-to" not in directives(plain)
    assert directives(secure)["report-to"] == ["csp"]
    assert secure["Reporting-Endpoints"] == 'csp="/csp-reports/"'


def report_uri(**more: Any) -> dict[str, Any]:
    report = {
        "document-uri": "https://desk.example/password/reset/key/1-secret/?next=secret",
        "effective-directive": "connect-src",
        "blocked-uri": "wss://user:secret@desk.example:6001/app/secret",
    }
    return {"csp-report": report | more}


def report_to(**more: Any) -> dict[str, Any]:
    body = {"documentURL": f"{HTTPS}/tickets/", "effectiveDirective": "script-src-elem", "blockedURL": "inline"}
    return {"type": "csp-violation", "url": f"{HTTPS}/tickets/", "body": body | more}


def send(body: Any, content_type: str = "application/csp-report") -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(enforce_csrf_checks=True).post("/csp-reports/", data, content_type).status_code


def test_report_is_one_line_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    assert send(report_uri()) == 204
    assert send([report_to(), {"type": "deprecation", "body": {}}], "application/reports+json") == 204
    lines = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert len(lines) == 2
    assert lines[0].startswith("csp violation directive='connect-src' blocked='wss://desk.example:6001' page=")
    assert "secret" not in lines[0]
    assert lines[1].startswith("csp violation directive='script-src-elem' blocked='inline' page='tickets/'")


def test_forged_reports_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    forged = report_uri(
        **{"effective-directive": "x\n2026 ERROR root: forged" * 100, "blocked-uri": "data\r\n" * 900}
    )
    assert {send(forged) for _ in range(3 * BURST)} == {204}
    assert send([report_to()] * 300) == 204
    lines = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert len(lines) <= BURST + 1
    assert all("\n" not in line and "\r" not in line and len(line) < 1000 for line in lines)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff", b"[" * 20_000, b"null", b"7", {}, {"csp-report": 7}, {"csp-report": []}, [7], [{}],
        [{"type": "csp-violation"}], [{"type": "csp-violation", "body": None}],
    ],
)  # fmt: skip
def test_what_is_no_report_is_a_bad_request_or_ignored(body: Any) -> None:
    assert send(body) in (204, 400)


@pytest.mark.parametrize("blocked", ["http://[", "//", "https://a:x/", "\ud800", 7, None, {"a": 1}])
def test_odd_address_in_a_report_is_no_server_error(blocked: Any) -> None:
    assert send(report_uri(**{"blocked-uri": blocked, "document-uri": blocked})) in (204, 400)


def test_large_report_is_refused() -> None:
    assert send(os.urandom(content_security.MAX_REPORT_SIZE + 1)) == 413
    assert Client().get("/csp-reports/").status_code == 405
