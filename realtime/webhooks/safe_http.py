"""HTTP POST to public addresses only: not to this host, its private networks or cloud metadata services (SSRF).

A host name is resolved once, all its addresses are checked, and the connection uses a checked address, so that DNS
rebinding has no effect. Redirects are not followed.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from realtime.utils.networks import Address, Network

TIMEOUT: Final = 5  # seconds for name resolution, connection, request and response head together
MAX_HEAD: Final = 16 * 1024  # bytes of the response head; the body is not read
PORTS: Final = {"http": 80, "https": 443}

# IPv6 networks whose addresses embed an IPv4 address in the last four bytes: compatible, mapped, NAT64 (RFC 6052).
IPV4_EMBEDDED = tuple(ip_network(text) for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96"))
# Public by registration but internal by use: the metadata services of Azure and Oracle, local-use NAT64 (RFC 8215).
INTERNAL = tuple(ip_network(text) for text in ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b:1::/48"))


class RequestFailed(Exception):
    """No response; the message says why."""


async def post(url: str, body: bytes, headers: Mapping[str, str], *, networks: Iterable[Network] = ()) -> int:
    """Send `body` to `url`; return the status of the response. Raises RequestFailed if there is none.

    `networks` are allowed although they are not public.
    """
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await _connect(parts, tuple(networks))
            try:
                writer.write(_request(parts, body, headers))
                await writer.drain()
                return await _status(reader)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise RequestFailed(f"no response within {TIMEOUT} s") from None
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise RequestFailed(str(error) or type(error).__name__) from None


def is_allowed(address: Address, networks: Iterable[Network] = ()) -> bool:
    """Return whether an address is public, or in one of the allowed networks."""
    inner = _embedded_address(address)
    return _is_public(inner) or any(address in network or inner in network for network in networks)


def _embedded_address(address: Address) -> Address:
    """Return the IPv4 address embedded in an IPv6 address, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in IPV4_EMBEDDED):
        return IPv4Address(address.packed[-4:])
    return address.sixtofour or address


def _is_public(address: Address) -> bool:
    if address.is_multicast or any(address in network for network in INTERNAL):
        return False
    return address.is_global and not (isinstance(address, IPv6Address) and address.is_site_local)


async def _connect(
    parts: SplitResult, networks: tuple[Network, ...]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first reachable address; TLS certificates are verified for the host name."""
    name, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    secure: dict[str, Any] = {"ssl": _ssl_context(), "server_hostname": name} if parts.scheme == "https" else {}
    *others, last = await _addresses(name, port, networks)
    for address in others:
        try:
            return await asyncio.open_connection(address, port, limit=MAX_HEAD, **secure)
        except ssl.SSLError:
            raise
        except OSError:
            continue
    return await asyncio.open_connection(last, port, limit=MAX_HEAD, **secure)


async def _addresses(name: str, port: int, networks: tuple[Network, ...]) -> list[str]:
    """Resolve a host name. Raises RequestFailed if any of its addresses is not allowed."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    for address in addresses:
        if not is_allowed(ip_address(address), networks):
            raise RequestFailed(f"{name} resolves to {address}, which is not public")
    return addresses


def _request(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + body


async def _status(reader: asyncio.StreamReader) -> int:
    """Return the final status, skipping interim responses (RFC 9110, section 15.2)."""
    while True:
        version, status, *_ = (await reader.readuntil(b"\r\n\r\n")).split(None, 2)
        if not version.startswith(b"HTTP/1."):
            raise RequestFailed("the response is not HTTP")
        if int(status) >= 200:
            return int(status)


@lru_cache
def _ssl_context() -> ssl.SSLContext:
    return ssl.create_default_context()
