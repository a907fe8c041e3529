"""POSTs reach public addresses only, and parse responses safely."""

import datetime
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from realtime.webhooks import safe_http
from tests.support.servers.webhook_receiver import ReceiverServer

LOOPBACK = [ipaddress.ip_network("127.0.0.1/32")]
OTHER = "127.0.0.2"


@pytest.fixture
def names(monkeypatch):
    """A fake resolver: `names["x"] = [addresses]`, one list per resolution."""
    known, real = {}, socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host not in known:
            return real(host, port, *args, **kwargs)
        answers = known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


async def send(url, networks=LOOPBACK, **headers):
    return await safe_http.post(url, b"{}", headers, networks=networks)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%1",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
    ],
)
def test_non_public_address_is_not_allowed(address):
    assert not safe_http.is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"],
)
def test_public_address_is_allowed(address):
    assert safe_http.is_allowed(ipaddress.ip_address(address))


def test_allowed_network_admits_only_its_addresses():
    inside = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32")]
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5"):
        assert safe_http.is_allowed(ipaddress.ip_address(address), inside)
    for address in ("10.2.0.1", "127.0.0.1", "fd00:2::5", "169.254.169.254"):
        assert not safe_http.is_allowed(ipaddress.ip_address(address), inside)


async def test_request_arrives_unchanged():
    async with ReceiverServer() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/a/hook?x=1"
        assert await send(url, **{"X-Name": "value"}) == 200
    (post,) = receiver.got
    assert (post.line, post.body) == ("POST /a/hook?x=1 HTTP/1.1", b"{}")
    assert post.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-length": "2",
        "connection": "close",
        "x-name": "value",
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
async def test_loopback_is_refused_under_all_its_names(host):
    async with ReceiverServer() as receiver:
        with pytest.raises(safe_http.RequestFailed, match="which is not public"):
            await send(f"http://{host}:{receiver.port}/", networks=[])
        assert not receiver.got
        assert await send(receiver.url) == 200
        assert len(receiver.got) == 1


async def test_one_non_public_address_refuses_the_host(names):
    async with ReceiverServer() as receiver:
        names["hooks.example"] = [["127.0.0.1", "10.0.0.1"]]
        with pytest.raises(
            safe_http.RequestFailed, match=r"hooks\.example resolves to 10\.0\.0\.1, which is not public"
        ):
            await send(f"http://hooks.example:{receiver.port}/")
        assert not receiver.got
        names["hooks.example"] = [["127.0.0.1"]]
        assert await send(f"http://hooks.example:{receiver.port}/") == 200
    assert receiver.got[0].headers["host"] == f"hooks.example:{receiver.port}"


async def test_dns_rebinding_has_no_effect(names):
    async with ReceiverServer() as checked:
        names["hooks.example"] = [["127.0.0.1"], [OTHER]]
        assert await send(f"http://hooks.example:{checked.port}/") == 200
        assert len(checked.got) == 1
        # The second resolution returns another address: the first request resolved the name only once.
        with pytest.raises(safe_http.RequestFailed, match=r"resolves to 127\.0\.0\.2"):
            await send(f"http://hooks.example:{checked.port}/")


async def test_next_address_is_tried_after_failure(names):
    async with ReceiverServer() as receiver:
        names["hooks.example"] = [[OTHER, "127.0.0.1"]]
        networks = [*LOOPBACK, ipaddress.ip_network("127.0.0.2/32")]
        assert await send(f"http://hooks.example:{receiver.port}/", networks=networks) == 200


async def test_redirect_is_not_followed():
    async with ReceiverServer() as elsewhere:
        away = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\n\r\n".encode()
        async with ReceiverServer(answer=away) as receiver:
            assert await send(receiver.url) == 302
            assert await send(elsewhere.url) == 200
    assert (len(receiver.got), len(elsewhere.got)) == (1, 1)


async def test_only_the_response_head_is_read():
    async with ReceiverServer(answer=b"HTTP/1.1 200 OK\r\n\r\n", endless=b"x" * 10_000) as receiver:
        assert await send(receiver.url) == 200


async def test_interim_response_is_skipped():
    async with ReceiverServer(
        answer=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n"
    ) as receiver:
        assert await send(receiver.url) == 410


@pytest.mark.parametrize(
    ("answer", "endless"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b""),
        (b"HTTP/1.1 OK\r\n\r\n", b""),
        (b"HTTP/1.1\r\n\r\n", b""),
        (b"SSH-2.0 200\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
    ],
)
async def test_invalid_response_is_an_error(answer, endless):
    async with ReceiverServer(answer=answer, endless=endless) as receiver:
        with pytest.raises(safe_http.RequestFailed):
            await send(receiver.url)
        assert len(receiver.got) == 1


async def test_request_times_out(monkeypatch):
    monkeypatch.setattr(safe_http, "TIMEOUT", 0.1)
    async with ReceiverServer() as receiver:
        receiver.may_answer.clear()
        with pytest.raises(safe_http.RequestFailed, match="no response within"):
            await send(receiver.url)


async def test_unreachable_host_is_an_error(names):
    names["unknown.example"] = [[]]
    async with ReceiverServer() as receiver:
        url = receiver.url
    with pytest.raises(safe_http.RequestFailed, match="Connect call failed"):
        await send(url)
    with pytest.raises(safe_http.RequestFailed):
        await send("http://unknown.example/")


def certificate(directory, name):
    """Write a self-signed certificate for `name`; return its path and the server's TLS context."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = directory / "certificate.pem"
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return path, context


async def test_certificate_is_verified_for_the_host(names, tmp_path, monkeypatch):
    path, server = certificate(tmp_path, "hooks.example")
    names["hooks.example"] = names["others.example"] = [["127.0.0.1"]]
    async with ReceiverServer(ssl=server) as receiver:
        with pytest.raises(safe_http.RequestFailed, match="certificate verify failed"):
            await send(f"https://hooks.example:{receiver.port}/hook")
        monkeypatch.setattr(safe_http, "_ssl_context", lambda: ssl.create_default_context(cafile=path))
        with pytest.raises(safe_http.RequestFailed, match="certificate verify failed: Hostname mismatch"):
            await send(f"https://others.example:{receiver.port}/hook")
        assert not receiver.got
        assert await send(f"https://hooks.example:{receiver.port}/hook") == 200
    assert receiver.got[0].body == b"{}"
