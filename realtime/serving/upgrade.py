"""The opening handshake of a WebSocket, from the server's side (RFC 6455, section 4.2)."""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from realtime.serving.relay import Request

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
VERSION = b"13"
Headers = Iterable[tuple[bytes, bytes]]


def problem(request: Request) -> str | None:
    """Return the HTTP status, and headers where they say more, of a handshake that is none."""
    if request.header(b"sec-websocket-version") != VERSION or not _goes_on(request):
        return "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
    is_right = request.method == b"GET" and request.version == "1.1" and bool(request.header(b"host"))
    has_body = request.header(b"content-length") not in (b"", b"0") or bool(request.header(b"transfer-encoding"))
    return None if is_right and not has_body and _is_key(request.header(b"sec-websocket-key")) else "400 Bad Request"


def _goes_on(request: Request) -> bool:
    """Say whether the connection is to go on as another protocol, and not to end."""
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


def answer(request: Request, headers: Headers, subprotocol: str | None) -> bytes:
    """Return the server's part of the handshake."""
    accept = base64.b64encode(
        hashlib.sha1(request.header(b"sec-websocket-key") + GUID, usedforsecurity=False).digest()
    )
    ours = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), (b"Sec-WebSocket-Accept", accept)]
    if subprotocol:
        ours.append((b"Sec-WebSocket-Protocol", subprotocol.encode("ascii")))
    lines = [b": ".join(header) for header in (*ours, *headers)]
    return b"\r\n".join((b"HTTP/1.1 101 Switching Protocols", *lines, b"", b""))


def scope(request: Request, transport: Any, extensions: dict[str, Any]) -> dict[str, Any]:
    """Return the handshake as ASGI has it ("WebSocket Connection Scope")."""
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
        "extensions": extensions,
    }


def _address(name: Any) -> tuple[str, int] | None:
    """Return host and port; a Unix socket has none."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) > 1 else None
