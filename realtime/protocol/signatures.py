"""Signatures of subscriptions and sign-ins ("Generating the authentication string" of the protocol)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def signature(secret: str, *parts: str) -> str:
    """Return the hexadecimal HMAC SHA256 of the parts, joined by colons."""
    return hmac.new(secret.encode(), ":".join(parts).encode(), hashlib.sha256).hexdigest()


def channel_auth(key: str, secret: str, socket_id: str, channel: str, channel_data: str = "") -> str:
    """Return the `auth` of a subscription: a signature of socket id, channel and, if any, channel data."""
    return f"{key}:{signature(secret, *_signed(socket_id, channel, channel_data))}"


def embed_channel_data(auth: str, channel_data: str) -> str:
    """Return an `auth` with the channel data appended: many clients send nothing else for a private channel."""
    return f"{auth}:{base64.urlsafe_b64encode(channel_data.encode()).decode()}"


def extract_channel_data(auth: str, channel_data: str) -> tuple[str, str]:
    """Split an `auth` into the plain `auth` and the channel data embedded in it, else the channel data given."""
    parts = auth.split(":")
    if len(parts) != 3:
        return auth, channel_data
    key, signature_, data = parts
    try:
        return f"{key}:{signature_}", base64.b64decode(data, b"-_", validate=True).decode()
    except ValueError:  # not base64, or not UTF-8
        return auth, channel_data


def user_auth(key: str, secret: str, socket_id: str, user_data: str) -> str:
    """Return the `auth` of a sign-in: a signature of socket id and user data ("User authentication")."""
    return f"{key}:{signature(secret, socket_id, '', 'user', '', user_data)}"


def is_valid_channel_auth(
    auth: str, key: str, secrets_: Iterable[str], socket_id: str, channel: str, channel_data: str = ""
) -> bool:
    """Return whether one of the secrets signed `auth` for exactly this key, socket, channel and data."""
    valid = (channel_auth(key, secret, socket_id, channel, channel_data) for secret in secrets_)
    return _is_any_of(auth, valid)


def is_valid_user_auth(auth: str, key: str, secrets_: Iterable[str], socket_id: str, user_data: str) -> bool:
    """Return whether one of the secrets signed `auth` for exactly this key, socket and user data."""
    return _is_any_of(auth, (user_auth(key, secret, socket_id, user_data) for secret in secrets_))


def _is_any_of(auth: str, valid: Iterable[str]) -> bool:
    given = auth.encode(errors="replace")
    return any(hmac.compare_digest(given, each.encode()) for each in valid)


def _signed(socket_id: str, channel: str, channel_data: str) -> list[str]:
    return [socket_id, channel, channel_data] if channel_data else [socket_id, channel]
