"""The configurations of deploy/nginx are valid, the doctor finds nothing to mend behind one, and no Upgrade hangs."""

import json
import socket
import ssl
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from realtime.doctor import path, walk
from realtime.doctor.site import Site
from realtime.doctor.walk import State
from tests.integration.servers.deploy.nginx import Nginx, upstreams_of
from tests.integration.servers.deploy.people import Person
from tests.integration.servers.doctor.looking import walking
from tests.support.servers import instances
from tests.support.servers.instances import TOP
from tests.support.sockets import session_cookie

ONE_PORT = "tikm.conf"
PICTURE = (TOP / "static/img/icon-180.png").read_bytes()
# What keeps a browser from running a file, or another from getting it.
SAFE = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Security-Policy",
    "Content-Type",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
)
TOKENS = "/api/v1/auth/token/"
UPGRADE = {"Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}


@pytest.fixture
def nginx(server, files, authority, tmp_path):
    """nginx in front of the server, on one port."""
    folders = {"static": TOP / "realtime/static", "files": files}
    upstreams = {"127.0.0.1:8080": server.port}
    with Nginx(tmp_path, ONE_PORT, certificate=authority.issue("localhost"), upstreams=upstreams, **folders) as found:
        yield found


@pytest.mark.parametrize("name", [ONE_PORT, "tikm-two-ports.conf"])
def test_configuration_is_valid(authority, tmp_path, name):
    upstreams = {upstream: instances.free_port() for upstream in upstreams_of(name)}
    found = Nginx(tmp_path, name, certificate=authority.issue("localhost"), upstreams=upstreams, static=tmp_path)
    assert "test is successful" in found.check()
    assert "[warn]" not in found.check()


def test_doctor_finds_nothing_behind_nginx_which_hides_metrics(admin, nginx):
    with walking(nginx.url) as found:
        findings = list(walk.run(found, path.all_steps()))
    assert {each.state for each in findings} == {State.OK}, findings
    metrics = Person(nginx.url, session_cookie(admin)).request("/metrics")
    assert (metrics.status, b"realtime_" in metrics.body) == (404, False)


def tokens(nginx, body, **headers):
    """Return status and code of the answer to a request for an API token."""
    found = nginx.request(TOKENS, method="POST", headers={"Content-Type": "application/json", **headers}, body=body)
    return found.status, json.loads(found.body)["code"]


@pytest.mark.parametrize("protocol", ["h2c", "TLS/1.0", "x"])
def test_body_of_a_request_with_an_upgrade_is_read_behind_nginx(nginx, protocol):
    site = Site.at(nginx.url)
    body = json.dumps({"email": "ada@example.com", "password": "wrong", "name": "A program"}).encode()
    for sent, expected in (
        (body, (401, "wrong_credentials")),
        (b'{"name": ' + b" " * 900_000 + b'"x"}', (422, "invalid")),
    ):
        assert tokens(site, sent, Upgrade=protocol, **UPGRADE) == expected == tokens(site, sent)


def test_requests_with_an_upgrade_and_no_body_hold_no_page_behind_nginx(nginx):
    """Nor do ten whole ones whose client reads no answer."""
    host = "Host: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    short = f"POST {TOKENS} HTTP/1.1\r\n{host}Content-Length: 100\r\n\r\n".encode()
    whole = f"POST /login/ HTTP/1.1\r\n{host}Content-Length: 900000\r\n\r\n".encode() + b"x" * 900_000
    with ExitStack() as held:
        for request in (*[short] * 8, *[whole] * 10):
            client = held.enter_context(socket.create_connection(("localhost", nginx.port)))
            held.enter_context(ssl.create_default_context().wrap_socket(client, server_hostname="localhost")).sendall(
                request
            )
        assert Site.at(nginx.url).request("/login/").status == 200
    assert Site.at(nginx.url).request("/login/").status == 200


def addresses(attachment):
    """Return where a page and a program get a file."""
    page = urlsplit(attachment["url"]).path
    return [page, f"{page}view/", f"/api/v1/attachments/{attachment['id']}/content/"]


def test_file_is_sent_by_nginx_to_those_who_may_have_it(admin, server, nginx):
    casey = User.objects.create_user("casey@example.com", "password", name="Casey")
    session, behind = session_cookie(admin), f"http://localhost:{server.port}"
    uploader, direct, other = (
        Person(nginx.url, session),
        Person(behind, session),
        Person(nginx.url, session_cookie(casey)),
    )
    body = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("Grün 100%.png", PICTURE, "image/png")})
    uploaded = json.loads(uploader.request("/files/", body=body, **{"Content-Type": MULTIPART_CONTENT}).body)
    for address in addresses(uploaded["attachment"]):
        from_nginx, redirect = uploader.request(address), direct.request(address)
        assert (from_nginx.status, from_nginx.body) == (200, PICTURE)
        assert "X-Accel-Redirect" not in from_nginx.headers
        assert {name: from_nginx.headers[name] for name in SAFE} == {name: redirect.headers[name] for name in SAFE}
        assert uploader.request(address, Range="bytes=1-3").body == PICTURE[1:4]
        assert other.request(address).status == 404
    assert redirect.headers["X-Accel-Redirect"].startswith("/tikm-files/")
    assert uploader.request(redirect.headers["X-Accel-Redirect"]).status == 404
