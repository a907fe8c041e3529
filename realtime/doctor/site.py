"""The site as a browser reaches it: its address, TLS, and one HTTP request at a time."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from urllib.parse import urlsplit

from realtime.doctor.problem import Problem

TIMEOUT = 10  # seconds
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Response:
    """The response to a request."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, shortened for a message."""
        return " ".join(self.body.decode(errors="replace").split())[:200]


@dataclass(frozen=True)
class Site:
    """A site by its URL: scheme, host and port."""

    url: str

    @classmethod
    def at(cls, url: str) -> "Site":
        """Return the site at `url`, without its path. Raises ValueError if it is no http or https URL."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or parts.port == 0:
            raise ValueError(f"{url} is no URL of a site; expected one such as https://desk.example.com.")
        return cls(f"{parts.scheme}://{parts.netloc.lower()}")

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """The host name, without the port."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, also where the URL does not name it."""
        return urlsplit(self.url).port or PORTS[self.scheme]

    @property
    def netloc(self) -> str:
        """Host and port as a Host header has them."""
        return urlsplit(self.url).netloc

    def connect(self) -> socket.socket:
        """Open a TCP connection. Raises OSError."""
        return socket.create_connection((self.host, self.port), timeout=TIMEOUT)

    def certificate(self) -> Mapping[str, object]:
        """Return the server's certificate, which is valid for the host. Raises OSError, ssl.SSLError."""
        context = ssl.create_default_context()
        with self.connect() as plain, context.wrap_socket(plain, server_hostname=self.host) as secured:
            return secured.getpeercert() or {}

    def request(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: str | bytes = b""
    ) -> Response:
        """Send a request and return the response. Raises Problem if there is none."""
        kind = HTTPSConnection if self.scheme == "https" else HTTPConnection
        with closing(kind(self.host, self.port, timeout=TIMEOUT)) as connection:
            try:
                connection.request(method, path, body or None, {"Host": self.netloc, **(headers or {})})
                response = connection.getresponse()
                return Response(response.status, response.headers, response.read(64 * 1024))
            except (OSError, HTTPException) as error:
                raise Problem(
                    f"{self.url}{path} gives no HTTP response: {error or type(error).__name__}.",
                    "Check that a proxy or `manage.py serve` listens there, and that the scheme is the right one.",
                ) from None
