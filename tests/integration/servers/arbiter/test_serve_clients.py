"""The production server and its clients: those that reset, those that read slowly, and a proxy on a Unix socket."""

import hashlib
import json
import re
import socket
import struct
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import pytest

from accounts.models import ApiToken
from tests.integration.servers.serve import Serve
from tests.support.sockets import session_cookie

RESETS = 30
LARGE = 12 * 1024**2  # bytes, over the 10 MB that a response once stopped at
SMALL_BUFFER = 4096  # bytes
CHUNK = 1024**2  # bytes between two requests of others
WORKERS = 1


@pytest.fixture(scope="module")
def server(environment, tmp_path_factory):
    directory = tmp_path_factory.mktemp("serve")
    settings = {"ATTACHMENT_MAX_BYTES": str(2 * LARGE), "FILES_DIR": str(directory)}
    with Serve(directory, env=environment | settings, workers=WORKERS) as server:
        yield server


def reset(server, request):
    """Send a request, and end the connection with a RST, as a client does that has crashed."""
    client = socket.create_connection(("127.0.0.1", server.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(request)
    client.close()


def ask(server, path, **headers):
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("with_cookie", [False, True])
def test_history_answers_after_many_resets(live_cast, server, with_cookie):
    cookie, path = session_cookie(live_cast.casey), f"/broadcasting/history?channel={live_cast.casey.channel}"
    own = f"Cookie: {cookie}\r\n" if with_cookie else ""
    for _ in range(RESETS):
        reset(server, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{own}\r\n".encode())
    status, body = ask(server, path, Cookie=cookie)
    assert (status, json.loads(body)["reset"]) == (200, False)
    assert ask(server, path)[0] == 403
    assert "Traceback" not in server.log.read_text()


@contextmanager
def unread(server, path, **headers):
    """Request a page, and yield its body as a file of which next to nothing is buffered."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        client.settimeout(60)
        client.connect(("127.0.0.1", server.port))
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{key}: {value}" for key, value in headers.items())]
        client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        with client.makefile("rb", buffering=SMALL_BUFFER) as answer:
            assert answer.readline().split()[1] == b"200"
            while answer.readline() != b"\r\n":
                pass
            yield answer


def test_large_answer_that_is_read_slowly_arrives_whole(live_cast, server):
    _, secret = ApiToken.objects.create(user=live_cast.casey, name="Slow")
    bearer, content = f"Bearer {secret}", b"line of text\n" * (LARGE // 13)
    with unread(server, upload(server, content, bearer), Authorization=bearer) as answer:
        digest, size = hashlib.sha256(), 0
        while part := answer.read(CHUNK):
            digest.update(part)
            size += len(part)
            assert server.answers(), "A slow reader keeps others waiting."
    assert (size, digest.digest()) == (len(content), hashlib.sha256(content).digest())


def upload(server, content, bearer):
    """Upload a file through the API, and return the path of its content."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n\r\n'
    body = head + content + b"\r\n--x--\r\n"
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        headers = {"Authorization": bearer, "Content-Type": "multipart/form-data; boundary=x"}
        connection.request("POST", "/api/v1/attachments/", body, headers)
        answer = connection.getresponse()
        sent = json.loads(answer.read())
    assert answer.status == 201, sent
    return f"/files/{sent['id']}/"


class UnixServe(Serve):
    """The production server on a Unix socket, as behind a proxy on the same machine."""

    def __init__(self, directory, *, env):
        self.path = str(directory / "serve.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen()
        super().__init__(directory, env=env)
        self.listener = listener
        self.command += ["--fd", str(listener.fileno())]
        self.spawning["pass_fds"] = [listener.fileno()]

    def request(self, path, **headers):
        lines = [f"GET {path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items()), "Connection: close"]
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(self.path)
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            with client.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode(), body.decode()

    def answers(self):
        try:
            return self.request("/healthz", Host="desk")[0] == 200
        except (OSError, IndexError):
            return False


@pytest.fixture
def unix_directory(tmp_path_factory):
    # A socket's path holds some hundred bytes.
    return tmp_path_factory.mktemp("unix")


def test_pages_are_served_on_a_unix_socket_behind_a_trusted_proxy(live_cast, environment, unix_directory):
    cookie = session_cookie(live_cast.casey)
    forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "Host": "127.0.0.1"}
    env = environment | {"TRUSTED_PROXIES": "unix", "GUNICORN_CMD_ARGS": "--access-logfile -"}
    with UnixServe(unix_directory, env=env) as server, closing(server.listener):
        status, head, page = server.request("/tickets/", Cookie=cookie, **forwarded)
        assert (status, live_cast.ticket.subject in page) == (200, True)
        assert re.search(r"^strict-transport-security: max-age=", head, re.IGNORECASE | re.MULTILINE)
        channel = f"/broadcasting/history?channel={live_cast.casey.channel}"
        assert server.request(channel, Cookie=cookie, **forwarded)[0] == 200
        status, head, _ = server.request("/tickets/", **forwarded)
        assert (status, "/login/" in head) == (302, True)
    assert "Traceback" not in server.log.read_text()
