"""The client's address behind trusted proxies, and forged headers."""

from ipaddress import ip_address, ip_network

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.server import connect_checks, hub
from realtime.utils.client_address import address_key, parse_trusted_proxies, resolve_client
from tests.support.cast import PASSWORD
from tests.support.sockets import connect

NGINX, EDGE, VISITOR, FORGED = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.1"
PROXIES = parse_trusted_proxies(("10.0.0.0/24", "fd00::/8"))
ANY = parse_trusted_proxies(("10.0.0.0/24", "unix"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "trusted", "address"),
    [
        (VISITOR, "", PROXIES, VISITOR),
        (VISITOR, FORGED, PROXIES, VISITOR),
        (NGINX, VISITOR, PROXIES, VISITOR),
        (NGINX, VISITOR, parse_trusted_proxies(()), NGINX),
        (NGINX, f"{FORGED}, {VISITOR}", PROXIES, VISITOR),
        (NGINX, f"{FORGED}, {VISITOR}, {EDGE}", PROXIES, VISITOR),
        (NGINX, f"{EDGE}, {FORGED}, {VISITOR}, {EDGE}", PROXIES, VISITOR),
        (NGINX, f"{FORGED},{VISITOR} ,, \t{EDGE},", PROXIES, VISITOR),
        (NGINX, "", PROXIES, NGINX),
        (NGINX, f"{VISITOR}, unknown", PROXIES, NGINX),
        (NGINX, f"{VISITOR}, _hidden, {EDGE}", PROXIES, EDGE),
        (NGINX, f"{VISITOR}:4711", PROXIES, VISITOR),
        (NGINX, "[2001:db8::1]:4711", PROXIES, "2001:db8::1"),
        (NGINX, "[2001:DB8:0::1]", PROXIES, "2001:db8::1"),
        (NGINX, "2001:db8::1", PROXIES, "2001:db8::1"),
        (NGINX, "fe80::1%eth0", PROXIES, "fe80::1"),
        (NGINX, f"::ffff:{VISITOR}", PROXIES, VISITOR),
        (f"::ffff:{NGINX}", VISITOR, PROXIES, VISITOR),
        ("fd00::1", VISITOR, PROXIES, VISITOR),
        (NGINX, "010.0.0.2, 203.0.113.07", PROXIES, NGINX),
        ("", VISITOR, PROXIES, ""),
        ("", VISITOR, ANY, VISITOR),
        ("", "", ANY, ""),
        (NGINX, f"{FORGED}, {VISITOR}, unix:", ANY, VISITOR),
        (NGINX, f"{VISITOR}, unix:", PROXIES, ""),
        ("not an address", VISITOR, PROXIES, ""),
    ],
)
def test_client_is_nearest_untrusted_address(peer, forwarded_for, trusted, address):
    assert resolve_client(peer, forwarded_for, "", trusted).address == address


outsiders = (
    st.ip_addresses().map(str).filter(lambda text: not any(ip_address(text) in net for net in PROXIES.networks))
)


@settings(max_examples=60, derandomize=True)
@given(
    sent=st.text(st.characters(codec="latin-1"), max_size=60) | st.just(f"{EDGE}, {NGINX}"),
    visitor=outsiders.filter(lambda text: getattr(ip_address(text), "ipv4_mapped", None) is None),
    hops=st.lists(st.integers(1, 254).map("10.0.0.{}".format), min_size=1, max_size=4),
)
def test_client_cannot_forge_its_address(sent, visitor, hops):
    seen = visitor.partition("%")[0]
    *inner, peer = hops
    assert resolve_client(peer, ", ".join([sent, seen, *inner]), "", PROXIES).address == seen


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "proto", "scheme"),
    [
        (NGINX, VISITOR, "https", "https"),
        (NGINX, VISITOR, "", ""),
        (NGINX, VISITOR, "gopher", ""),
        (VISITOR, "", "https", ""),
        (NGINX, VISITOR, "https, http", "http"),
        (NGINX, f"{VISITOR}, {EDGE}", "https, http", "https"),
        (NGINX, f"{VISITOR}, {EDGE}", "HTTPS", "https"),
        (NGINX, f"{VISITOR}, {EDGE}", "https, http, http", "http"),
    ],
)
def test_scheme_comes_from_the_same_proxy(peer, forwarded_for, proto, scheme):
    assert resolve_client(peer, forwarded_for, proto, PROXIES).scheme == scheme


def test_ipv6_addresses_are_counted_by_network():
    assert [address_key("2001:db8::1"), address_key(VISITOR)] == ["2001:db8::/64", VISITOR]
    assert ip_address("2001:db8::ffff") in ip_network(address_key("2001:db8::1"))


SENT = {
    "Host": "desk.example",
    "Forwarded": f"for={FORGED}",
    "X-Real-IP": FORGED,
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Server": "evil.example",
}


@pytest.fixture
def nginx(settings):
    settings.REALTIME = {**settings.REALTIME, "TRUSTED_PROXIES": [f"{NGINX}/32", "unix"]}
    settings.ALLOWED_HOSTS = ["desk.example", "testserver"]


def page_of(peer, **headers):
    """Return the request that views receive."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(REMOTE_ADDR=peer).get("/login/", headers={**SENT, **sent}).wsgi_request


@pytest.mark.django_db
@pytest.mark.parametrize("peer", [NGINX, ""])
def test_http_uses_headers_of_trusted_proxy(nginx, peer):
    request = page_of(peer, X_Forwarded_For=f"{FORGED}, {VISITOR}", X_Forwarded_Proto="https")
    assert (request.META["REMOTE_ADDR"], request.scheme) == (VISITOR, "https")
    assert request.build_absolute_uri("/") == "https://desk.example/"
    left = {name for name in request.META if "FORWARDED" in name or "REAL_IP" in name}
    assert left == {"HTTP_X_FORWARDED_PROTO"}


@pytest.mark.django_db
def test_http_ignores_headers_of_other_peers(nginx):
    request = page_of(VISITOR, X_Forwarded_For=FORGED, X_Forwarded_Proto="https")
    assert (request.META["REMOTE_ADDR"], request.build_absolute_uri("/")) == (VISITOR, "http://desk.example/")
    assert not [name for name in request.META if "FORWARDED" in name or "REAL_IP" in name]


@pytest.mark.django_db
def test_session_list_shows_the_address_behind_the_proxy(nginx, cast):
    browser = Client(REMOTE_ADDR=NGINX, headers={"X-Forwarded-For": VISITOR})
    browser.post("/login/", {"login": cast.bao.email, "password": PASSWORD})
    assert VISITOR in browser.get("/profile/sign-ins/").text


@pytest.fixture
def address_of_socket(monkeypatch):
    """Open a socket; return its address, scheme and headers on the server."""
    problem, scopes = connect_checks.find_problem, []

    def note(scope):
        scopes.append(scope)
        return problem(scope)

    async def opened(peer, **headers):
        await connect(address=peer, **{name.replace("_", "-"): value for name, value in headers.items()})
        (socket,), (scope,) = hub.here().sockets, scopes
        return socket.address, scope.get("scheme", "ws"), {name for name, _ in scope["headers"]}

    monkeypatch.setattr(connect_checks, "find_problem", note)
    return opened


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("peer", [NGINX, ""])
async def test_websocket_uses_headers_of_trusted_proxy(nginx, address_of_socket, peer):
    found = await address_of_socket(
        peer,
        x_forwarded_for=f"{FORGED}, {VISITOR}",
        x_forwarded_proto="https",
        forwarded="",
        origin="https://testserver",
    )
    assert found == (VISITOR, "wss", {b"host", b"origin"})


@pytest.mark.django_db(transaction=True)
async def test_websocket_ignores_headers_of_other_peers(nginx, address_of_socket):
    found = await address_of_socket(
        VISITOR, x_forwarded_for=FORGED, x_forwarded_proto="https", forwarded=f"for={FORGED}"
    )
    assert found == (VISITOR, "ws", {b"host", b"origin"})
