"""Hostile HTTP requests while a customer works: `python -m benchmarks.hostile_requests [--nginx] [--seconds N]`.

One worker of `manage.py serve` on PostgreSQL and Redis, directly or behind nginx with deploy/nginx/tikm.conf (without
TLS). The customer opens a ticket's page RATE times per second from 127.0.0.1; the hostile client uses 127.0.0.2, and
holds or repeats one kind of request. Everything stays on the loopback interface, and ends after SECONDS per kind.
"""

import argparse
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks.connections import serving
from benchmarks.site import gather, services
from benchmarks.starvation import Process
from benchmarks.visits import visiting
from tests.support.servers import instances

RATE = 10  # pages per second
SECONDS = 6  # per kind
REPEATS = 20  # requests per second that are not held
HELD = 87  # connections that are held
HOSTILE = "127.0.0.2"
NGINX = Path(__file__).parent.parent / "deploy/nginx/tikm.conf"

HEAD = "Host: 127.0.0.1\r\n"
H2C = f"POST /api/v1/auth/token/ HTTP/1.1\r\n{HEAD}Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 100\r\n\r\n"
UPLOAD = f"POST /files/ HTTP/1.1\r\n{HEAD}Content-Length: 50000000\r\n\r\n"
WHOLE = f"POST /login/ HTTP/1.1\r\n{HEAD}Upgrade: x\r\nContent-Length: 900000\r\n\r\n" + "x" * 900_000
HISTORY = f"GET /broadcasting/history?channel=private-user.1 HTTP/1.1\r\n{HEAD}\r\n"
# By kind: what is sent, whether the connections are held, and whether they end with a RST.
KINDS: dict[str, tuple[str, bool, bool]] = {
    "h2c without its body": (H2C, False, False),
    "whole POST with Upgrade": (WHOLE, False, False),
    "uploads that do not finish": (UPLOAD, True, False),
    "half a head": ("GET / HTTP/1.1\r\nX: ", True, False),
    "history, then RST": (HISTORY, False, True),
}


def connect(port: int) -> socket.socket:
    """Open a connection from the hostile address."""
    return socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(HOSTILE, 0))


def attack(port: int, kind: str, until: float) -> None:
    """Send requests of one kind until then."""
    request, is_held, resets = KINDS[kind]
    with ExitStack() as held:
        if is_held:
            for _ in range(HELD):
                held.enter_context(connect(port)).sendall(request.encode())
        while time.monotonic() < until:
            if not is_held:
                _send_once(port, request.encode(), resets)
            time.sleep(1 / REPEATS)


def _send_once(port: int, request: bytes, resets: bool) -> None:
    with suppress(OSError), connect(port) as client:
        if resets:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(request)


@contextmanager
def nginx(port: int) -> Iterator[int]:
    """Run nginx with the documented block in front of a port; yield its own."""
    program, own = shutil.which("nginx") or "/usr/sbin/nginx", instances.free_port()
    block = re.sub(r"\n\s*ssl_\w+ .*", "", NGINX.read_text()).replace("listen 443 ssl", f"listen 127.0.0.1:{own}")
    block = block.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("desk.example.com", "127.0.0.1")
    with TemporaryDirectory() as folder:
        temporary = "".join(
            f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}"
        text = f"{main} http {{ access_log off; {temporary} {block} }}"
        Path(folder, "conf").write_text(text)
        process = subprocess.Popen([program, "-c", f"{folder}/conf", "-e", f"{folder}/log"])
        try:
            instances.wait_until(lambda: _accepts(own), timeout=10, message="nginx does not start.")
            yield own
        finally:
            process.terminate()
            process.wait()


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def measure(port: int, visitor: tuple[str, str], seconds: float, act: Callable[[float], None]) -> dict[str, float]:
    """Return the customer's latencies in milliseconds, and how many pages failed, while `act` runs."""
    page, cookie = visitor
    with visiting(port, page, cookie, RATE) as visits:
        act(time.monotonic() + seconds)
    took = [1000 * visit.took for visit in visits.all]
    cuts = quantiles(took, n=100)
    failed = sum(not visit.succeeded for visit in visits.all)
    return {"p50 ms": round(cuts[49], 1), "p99 ms": round(cuts[98], 1), "pages": len(took), "failed": failed}


def rest(until: float) -> None:
    """Do nothing until then."""
    time.sleep(max(0, until - time.monotonic()))


def main() -> None:
    """Measure a quiet site, each kind, and the quiet site again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nginx", action="store_true")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    with services() as ours, ExitStack() as stack:
        person = gather(2)[0]
        server = stack.enter_context(serving(ours))
        (pid,), visitor = server.workers(), (person.page, person.cookie)
        port = stack.enter_context(nginx(server.port)) if options.nginx else server.port
        process = Process(pid)
        measure(port, visitor, 2, rest)  # the first pages compile templates
        for kind in ("quiet", *KINDS, "quiet again"):
            act = (lambda until, kind=kind: attack(port, kind, until)) if kind in KINDS else rest
            row = measure(port, visitor, options.seconds, act)
            print(f"{kind}: {row}, {process.memory():.0f} MB", flush=True)
        assert server.workers() == [pid], "The worker was replaced."


if __name__ == "__main__":
    main()
