"""Signatures of the HTTP API (Pusher: "Generating authentication signatures"): pure functions, no I/O."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from realtime import protocol

WINDOW: Final = 600  # seconds that a client's clock may differ from ours
VERSION: Final = "1.0"


class BadSignature(Exception):
    """A request that was not signed by us, now, as it stands; the text says what is wrong with it."""


def string_to_sign(method: str, path: str, query: Mapping[str, str]) -> str:
    """Return what is signed: names in lower case and sorted, values as they are meant, not as they are escaped."""
    pairs = sorted((name.lower(), value) for name, value in query.items() if name.lower() != "auth_signature")
    return "\n".join([method.upper(), path, "&".join(f"{name}={value}" for name, value in pairs)])


def signature(secret: str, method: str, path: str, query: Mapping[str, str]) -> str:
    """Return the hexadecimal HMAC SHA256 of a request."""
    return protocol.signature(secret, string_to_sign(method, path, query))


def body_md5(body: bytes) -> str:
    """Return the digest by which the signature covers the body; Pusher chose it long ago."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def check(method: str, path: str, query: Mapping[str, str], *, key: str, secrets: Iterable[str], now: float) -> None:
    """Raise BadSignature unless the query, its names in lower case, was signed for `key` by one of the secrets.

    `now` is in seconds since 1970. What the body says is checked by `check_body`, once it is read.
    """
    if query.get("auth_version") != VERSION:
        raise BadSignature(f"auth_version is {VERSION}.")
    if not _same(query.get("auth_key", ""), key):
        raise BadSignature("auth_key is not the key of this app.")
    _check_clock(query.get("auth_timestamp", ""), now)
    given = query.get("auth_signature", "")
    if not any(_same(given, signature(secret, method, path, query)) for secret in secrets):
        raise BadSignature("auth_signature does not fit this method, path and query under the app's secret.")


def check_body(query: Mapping[str, str], body: bytes) -> None:
    """Raise BadSignature unless the signed body_md5 is the body's.

    Without a body it may be missing, or be the digest of nothing, which Pusher's Python library signs for every GET.
    """
    given = query.get("body_md5")
    if given is None and body:
        raise BadSignature("body_md5 is missing: sign the digest of the body.")
    if given is not None and not _same(given, body_md5(body)):
        raise BadSignature("body_md5 is not the digest of the body.")


def _check_clock(timestamp: str, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        raise BadSignature("auth_timestamp is a number of seconds since 1970.")
    if abs(int(timestamp) - now) > WINDOW:
        raise BadSignature(f"auth_timestamp is more than {WINDOW} seconds off; the server's clock says {now:.0f}.")


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
