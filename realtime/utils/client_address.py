"""The address and scheme of a client behind the reverse proxies that REALTIME["TRUSTED_PROXIES"] names.

Only X-Forwarded-For and X-Forwarded-Proto are read. A proxy must pass on the Host header that it received:
X-Forwarded-Host, X-Real-IP and Forwarded (RFC 7239) are dropped.
"""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from realtime.conf import config
from realtime.utils.networks import Network, parse_network

UNIX = "unix"  # a peer that connects through a Unix socket, and so has no address
DROPPED_HEADERS = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Real-IP",
    "Forwarded",
)
SCHEMES = {"http": "ws", "https": "wss"}
MIN_PREFIX = {4: 8, 6: 7}  # bits of a trusted network: the largest private ones are 10.0.0.0/8 and fc00::/7
IPV6_PREFIX = 64  # bits: one household or host has all addresses of such a network

GetResponse = Callable[[HttpRequest], HttpResponse]
App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies whose forwarded headers are used."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def includes(self, address: str) -> bool:
        """Return whether a normalized address is a trusted proxy; "" is a Unix socket."""
        if not address:
            return self.unix
        ip = ip_address(address)
        return any(ip in network for network in self.networks)


@dataclass(frozen=True)
class RemoteClient:
    """The client of a request: its address ("" for a Unix socket), and its scheme if a trusted proxy sent it."""

    address: str
    scheme: str = ""


def resolve_client(peer: str, forwarded_for: str, forwarded_proto: str, trusted: TrustedProxies) -> RemoteClient:
    """Return the client whose request `peer` sent or forwarded.

    Its address is the nearest one in the chain of proxies that is not trusted. A trusted proxy that names no client
    is the client itself. `forwarded_for` and `forwarded_proto` are the header's lines, joined by commas.
    """
    chain = _proxy_chain(peer, forwarded_for, trusted)
    if not trusted.includes(chain[0]):
        return RemoteClient(chain[-1])
    # Each proxy that appends to the header adds one value; one that replaces it speaks for all before it.
    schemes = [part.strip().lower() for part in forwarded_proto.split(",")]
    scheme = schemes[-min(max(1, len(chain) - 1), len(schemes))]
    return RemoteClient(chain[-1], scheme if scheme in SCHEMES else "")


@lru_cache(maxsize=8)
def parse_trusted_proxies(names: tuple[str, ...]) -> TrustedProxies:
    """Parse REALTIME["TRUSTED_PROXIES"]: addresses, networks and `unix`. Raises ImproperlyConfigured."""
    return TrustedProxies(tuple(_parse_proxy(name) for name in names if name != UNIX), UNIX in names)


def _parse_proxy(name: str) -> Network:
    network = parse_network(name)
    if network.prefixlen < MIN_PREFIX[network.version]:
        raise ImproperlyConfigured(f"{name} trusts too many clients; expected the addresses of your proxies.")
    return network


def address_key(address: str) -> str:
    """Return the key under which rate limits count an address: the /64 network of an IPv6 address."""
    ip = ip_address(address)
    return str(ip_network((ip, IPV6_PREFIX), strict=False)) if isinstance(ip, IPv6Address) else address


def is_limited(address: str) -> bool:
    """Return whether connections of an address are limited: not on loopback, where a proxy may stand for everyone."""
    try:
        return not ip_address(address).is_loopback
    except ValueError:  # a Unix socket has no address
        return False


def normalize_address(text: str) -> str | None:
    """Return an address without port, brackets and zone, and a mapped IPv4 address as IPv4; None if it is invalid.

    Returns "" for a Unix socket, which servers write as "" and nginx as "unix:".
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


def _proxy_chain(peer: str, forwarded_for: str, trusted: TrustedProxies) -> list[str]:
    """Return the addresses from the peer back to the first that is not trusted, or the last that is known."""
    chain = [normalize_address(peer) or ""]
    for address in _forwarded_addresses(forwarded_for):
        if not trusted.includes(chain[-1]) or address is None:
            break
        chain.append(address)
    return chain


def _forwarded_addresses(forwarded_for: str) -> Iterator[str | None]:
    """Yield the addresses of a header, nearest first; empty elements are skipped (RFC 9110, section 5.6.1)."""
    return (normalize_address(part) for part in reversed(forwarded_for.split(",")) if part.strip())


def proxy_headers_middleware(get_response: GetResponse) -> GetResponse:
    """Set REMOTE_ADDR to the client's address, and remove the forwarded headers. Must be the first middleware.

    X-Forwarded-Proto of a trusted proxy stays, as one value, for SECURE_PROXY_SSL_HEADER.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        meta = request.META
        forwarded = meta.get("HTTP_X_FORWARDED_FOR", ""), meta.pop("HTTP_X_FORWARDED_PROTO", "")
        client = resolve_client(meta.get("REMOTE_ADDR", ""), *forwarded, _trusted_proxies())
        meta["REMOTE_ADDR"] = client.address
        for name in DROPPED_HEADERS:
            meta.pop(f"HTTP_{name.upper().replace('-', '_')}", None)
        if client.scheme:
            meta["HTTP_X_FORWARDED_PROTO"] = client.scheme
        if hasattr(request, "scope"):
            _set_address(request.scope, client.address)
        return get_response(request)

    return middleware


class ProxyHeadersMiddleware:
    """ASGI middleware for WebSockets: sets the scope's `client` and `scheme`, and removes the forwarded headers."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Resolve the client, then call the application."""
        apply_proxy_headers(scope)
        await self._app(scope, receive, send)


def apply_proxy_headers(scope: MutableMapping[str, Any]) -> None:
    """Set the `client` and `scheme` of an ASGI scope, and remove the forwarded headers."""
    client = _client_of(scope)
    _set_address(scope, client.address)
    if client.scheme:
        scope["scheme"] = SCHEMES[client.scheme]
    dropped = {name.lower().encode() for name in (*DROPPED_HEADERS, "X-Forwarded-Proto")}
    scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() not in dropped]


def client_address(scope: MutableMapping[str, Any]) -> str:
    """Return the address of an ASGI scope's client; "" for a Unix socket."""
    return _client_of(scope).address


def _client_of(scope: MutableMapping[str, Any]) -> RemoteClient:
    forwarded = _header(scope, b"x-forwarded-for"), _header(scope, b"x-forwarded-proto")
    return resolve_client((scope.get("client") or [""])[0], *forwarded, _trusted_proxies())


def _trusted_proxies() -> TrustedProxies:
    return parse_trusted_proxies(tuple(config().trusted_proxies))


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _set_address(scope: MutableMapping[str, Any], address: str) -> None:
    """Write the client's address where servers read it for their access log; its port is unknown."""
    if address != (scope.get("client") or [""])[0]:
        scope["client"] = (address, 0)
