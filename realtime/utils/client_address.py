"""Which address a client has: what proxies say of it is believed from those that REALTIME["TRUSTED_PROXIES"] names.

Read are X-Forwarded-For and X-Forwarded-Proto. A proxy passes on the Host that it was asked for: X-Forwarded-Host,
X-Real-IP and Forwarded (RFC 7239) are believed from nobody.
"""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.http import HttpRequest, HttpResponse

from realtime.conf import config
from realtime.webhooks.safe_http import Network

UNIX = "unix"  # the name of whoever connects through a Unix socket: he has no address
UNUSED = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Real-IP",
    "Forwarded",
)
SCHEMES = {"http": "ws", "https": "wss"}
HOUSEHOLD = 64  # bits of an IPv6 address that whoever has it cannot choose

GetResponse = Callable[[HttpRequest], HttpResponse]
App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Trusted:
    """The proxies that are believed."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def covers(self, address: str) -> bool:
        """Say whether a hop, as `hop` returns it, is one of them."""
        if not address:
            return self.unix
        ip = ip_address(address)
        return any(ip in network for network in self.networks)


@dataclass(frozen=True)
class Client:
    """Who sent a request: his address ("" for a Unix socket), and the scheme that he used if a proxy said so."""

    address: str
    scheme: str = ""


def client_address(peer: str, forwarded_for: str, trusted: Trusted) -> str:
    """Return the address that the last trusted hop saw, going back from the peer; "" for a Unix socket.

    `forwarded_for` is X-Forwarded-For, its lines joined by commas. Where a trusted hop names nobody, it is its own.
    """
    return _way_back(peer, forwarded_for, trusted)[-1]


def client(peer: str, forwarded_for: str, forwarded_proto: str, trusted: Trusted) -> Client:
    """Return who sent a request that `peer` has handed over."""
    way = _way_back(peer, forwarded_for, trusted)
    if not trusted.covers(way[0]):
        return Client(way[-1])
    # Proxies that add to the header have each written one value; one that sets it speaks for those before it.
    schemes = [part.strip().lower() for part in forwarded_proto.split(",")]
    scheme = schemes[-min(max(1, len(way) - 1), len(schemes))]
    return Client(way[-1], scheme if scheme in SCHEMES else "")


def address_key(address: str) -> str:
    """Return what is counted as one address: of IPv6, of which everybody has many, the network of one household."""
    ip = ip_address(address)
    return str(ip_network((ip, HOUSEHOLD), strict=False)) if isinstance(ip, IPv6Address) else address


def hop(text: str) -> str | None:
    """Return an address as it is compared: without port, brackets and zone, IPv4 as such; None if it is none.

    A Unix socket is "", as servers say it, and "unix:", as nginx does.
    """
    text = text.strip()
    if text in ("", f"{UNIX}:"):
        return ""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return str(mapped or ip)


def _way_back(peer: str, forwarded_for: str, trusted: Trusted) -> list[str]:
    """Return the hops from the peer to the first one that is not trusted, or of which nothing is known."""
    way = [hop(peer) or ""]
    for said in _said(forwarded_for):
        if not trusted.covers(way[-1]) or said is None:
            break
        way.append(said)
    return way


def _said(forwarded_for: str) -> Iterator[str | None]:
    """Yield the hops that a header names, the nearest first; empty elements are none (RFC 9110, section 5.6.1)."""
    return (hop(part) for part in reversed(forwarded_for.split(",")) if part.strip())


@lru_cache(maxsize=8)
def read(names: tuple[str, ...]) -> Trusted:
    """Read REALTIME["TRUSTED_PROXIES"]: addresses, networks, and `unix`."""
    return Trusted(tuple(ip_network(name) for name in names if name != UNIX), UNIX in names)


def believe_trusted_proxies(get_response: GetResponse) -> GetResponse:
    """Middleware, the first: REMOTE_ADDR is the client's, and of forwarded headers nothing else is left.

    X-Forwarded-Proto stays as one value where it is believed: SECURE_PROXY_SSL_HEADER reads it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        meta = request.META
        forwarded = meta.get("HTTP_X_FORWARDED_FOR", ""), meta.pop("HTTP_X_FORWARDED_PROTO", "")
        found = client(meta.get("REMOTE_ADDR", ""), *forwarded, read(tuple(config().trusted_proxies)))
        meta["REMOTE_ADDR"] = found.address
        for name in UNUSED:
            meta.pop(f"HTTP_{name.upper().replace('-', '_')}", None)
        if found.scheme:
            meta["HTTP_X_FORWARDED_PROTO"] = found.scheme
        if hasattr(request, "scope"):
            _rewrite(request.scope, found.address)
        return get_response(request)

    return middleware


class BehindProxies:
    """Wraps an ASGI application of WebSockets: `client` and `scheme` of the scope are those of the client."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Hand on the scope, without the headers that have been read."""
        forwarded_for, forwarded_proto = _joined(scope, b"x-forwarded-for"), _joined(scope, b"x-forwarded-proto")
        peer = (scope.get("client") or [""])[0]
        found = client(peer, forwarded_for, forwarded_proto, read(tuple(config().trusted_proxies)))
        _rewrite(scope, found.address)
        if found.scheme:
            scope["scheme"] = SCHEMES[found.scheme]
        dropped = {name.lower().encode() for name in (*UNUSED, "X-Forwarded-Proto")}
        scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() not in dropped]
        await self._app(scope, receive, send)


def _joined(scope: MutableMapping[str, Any], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _rewrite(scope: MutableMapping[str, Any], address: str) -> None:
    """Write the address where servers read it for their log; a port says nothing without its address."""
    if address != (scope.get("client") or [""])[0]:
        scope["client"] = (address, 0)


def is_counted(address: str) -> bool:
    """Say whether sockets from an address are counted: a proxy on this machine stands for everybody behind it."""
    try:
        return not ip_address(address).is_loopback
    except ValueError:  # a Unix socket has no address
        return False
