"""The opening handshake of a WebSocket, from the server's side (RFC 6455, section 4.2)."""

import asyncio
import base64
import binascii
import hashlib
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import httptools

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
VERSION = b"13"


class Request:
    """The HTTP request of a handshake, as uvicorn's HTTP protocol passes it on: complete, in one piece.

    Raises httptools.HttpParserError for anything else.
    """

    def __init__(self, data: bytes) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []  # names in lower case
        self._parser = httptools.HttpRequestParser(self)
        with suppress(httptools.HttpParserUpgrade):
            self._parser.feed_data(data)

    @property
    def method(self) -> bytes:
        """The method, such as GET."""
        return bytes(self._parser.get_method())

    @property
    def version(self) -> str:
        """The version of HTTP, such as 1.1."""
        return str(self._parser.get_http_version())

    def header(self, name: bytes) -> bytes:
        """Return the last header of this name, b"" if there is none."""
        return next((value for key, value in reversed(self.headers) if key == name), b"")

    def on_url(self, url: bytes) -> None:
        """Add a piece of the URL."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        self.headers.append((name.lower(), value))


def refuse(client: asyncio.Transport, status: str) -> None:
    """Send an HTTP error, and close."""
    body = f"{status}\n"
    head = {"Content-Type": "text/plain", "Content-Length": len(body), "Connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    client.write(f"HTTP/1.1 {status}\r\n{lines}\r\n{body}".encode())
    client.close()


def find_problem(request: Request) -> str | None:
    """Return the HTTP status, with any headers, that refuses an invalid handshake; None for a valid one."""
    if request.header(b"sec-websocket-version") != VERSION or not _asks_to_upgrade(request):
        return "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
    is_right = request.method == b"GET" and request.version == "1.1" and bool(request.header(b"host"))
    has_body = request.header(b"content-length") not in (b"", b"0") or bool(request.header(b"transfer-encoding"))
    return None if is_right and not has_body and _is_key(request.header(b"sec-websocket-key")) else "400 Bad Request"


def _asks_to_upgrade(request: Request) -> bool:
    """Return whether the Connection header asks for an upgrade, and not to close."""
    options = {
        option.strip().lower()
        for name, value in request.headers
        if name == b"connection"
        for option in value.split(b",")
    }
    return b"upgrade" in options and b"close" not in options


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False


def response(request: Request) -> bytes:
    """Return the server's response to a valid handshake (section 4.2.2)."""
    key = request.header(b"sec-websocket-key") + GUID
    accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest())
    lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + accept, b"", b""))


def scope(request: Request, transport: Any) -> dict[str, Any]:
    """Return the ASGI scope of a handshake ("WebSocket Connection Scope")."""
    path, _, query = request.url.partition(b"?")
    protocols = b",".join(value for name, value in request.headers if name == b"sec-websocket-protocol")
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.version,
        "scheme": "ws",
        "server": _address(transport.get_extra_info("sockname")),
        "client": _address(transport.get_extra_info("peername")),
        "root_path": "",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "headers": request.headers,
        "subprotocols": [each.strip() for each in protocols.decode("latin-1").split(",") if each.strip()],
        "extensions": {},
    }


def _address(name: Any) -> tuple[str, int] | None:
    """Return host and port; None for a Unix socket."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) > 1 else None
