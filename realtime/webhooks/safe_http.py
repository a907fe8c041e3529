"""Posts to the world outside, and only there: never to this machine, its network, or what a cloud keeps for it.

A name is resolved once, every address it has is checked, and the connection goes to the very address that was
checked: a name that points elsewhere a moment later (DNS rebinding) gains nothing. Redirects are not followed.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

TIMEOUT: Final = 5  # seconds for all of it: name, connection, request and the head of the answer
MAX_HEAD: Final = 16 * 1024  # bytes of the answer's head; the body is not read
PORTS: Final = {"http": 80, "https": 443}

# IPv6 addresses that hold an IPv4 one in their last four bytes: compatible, mapped, and translated (RFC 6052).
HOLD_IPV4 = tuple(ip_network(text) for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96"))
# Public by number, but not by use: Azure's platform as each of its machines sees it, and Oracle's; translation inside
# a network (RFC 8215).
NOT_PUBLIC = tuple(ip_network(text) for text in ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b:1::/48"))


class NotSent(Exception):
    """Nobody took it; the text says why."""


async def post(url: str, body: bytes, headers: Mapping[str, str], *, networks: Iterable[Network] = ()) -> int:
    """Send `body` to `url` and return the status of the answer; raise NotSent if there is none.

    `networks` may be reached though they are not public.
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
        raise NotSent(f"no answer within {TIMEOUT} seconds") from None
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise NotSent(str(error) or type(error).__name__) from None


def may_reach(address: Address, networks: Iterable[Network] = ()) -> bool:
    """Say whether an address is public, or in one of the networks that are allowed."""
    inner = _held(address)
    return _is_public(inner) or any(address in network or inner in network for network in networks)


def _held(address: Address) -> Address:
    """Return the IPv4 address in an IPv6 one, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in HOLD_IPV4):
        return IPv4Address(address.packed[-4:])
    return address.sixtofour or address


def _is_public(address: Address) -> bool:
    if address.is_multicast or any(address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and not (isinstance(address, IPv6Address) and address.is_site_local)


async def _connect(
    parts: SplitResult, networks: tuple[Network, ...]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that lets us; the certificate is checked for the name."""
    name, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    secure: dict[str, Any] = {"ssl": _trust(), "server_hostname": name} if parts.scheme == "https" else {}
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
    """Return all addresses of a name; one that may not be reached forbids the name."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    for address in addresses:
        if not may_reach(ip_address(address), networks):
            raise NotSent(f"{name} is at {address}, which is not public")
    return addresses


def _request(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + body


async def _status(reader: asyncio.StreamReader) -> int:
    """Return the status of the answer, past those that only say to go on."""
    while True:
        version, status, *_ = (await reader.readuntil(b"\r\n\r\n")).split(None, 2)
        if not version.startswith(b"HTTP/1."):
            raise NotSent("what answered does not speak HTTP")
        if int(status) >= 200:
            return int(status)


@lru_cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
