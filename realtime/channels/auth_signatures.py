"""Signs what clients bring to a socket that does not know them: subscriptions and sign-ins."""

import base64
import hashlib
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.module_loading import import_string

from realtime import protocol
from realtime.channels import Found, authorize, find
from realtime.channels.authentication import Credentials
from realtime.conf import config


def sign_subscription(
    user: AbstractBaseUser, who: Credentials, socket_id: str, channel: str
) -> dict[str, str] | None:
    """Return what `user` brings to subscribe to `channel` on one socket; None if he may not hear it.

    The answer has `auth` and `channel_data` (protocol, "Authorizing users"), and the `shared_secret` of an encrypted
    channel. The sign-in `who` goes along, sealed: what it was allowed ends with it. It goes along twice, as many
    clients (iOS, Pysher, asyncpusher) hand on the `auth` alone.
    """
    found = find(channel)
    if found is None or not found.pattern.needs_auth or authorize(user, channel) is None:
        return None
    data = _shown(user, found) | {"sign_in": who.encrypted()}
    return _signed(socket_id, channel, data) | _shared_secret(channel, found)


def sign_for_tool(user: AbstractBaseUser, socket_id: str, channel: str) -> dict[str, str]:
    """Return what a tool brings that knows the secret, to subscribe as `user`; whether he may, the server says.

    No sign-in goes along; every change that concerns the person has the tool authorise anew.
    """
    found = find(channel)
    if found is None or not found.pattern.needs_auth:
        return {"auth": ""}
    may_hear = authorize(user, channel) is not None
    return _signed(socket_id, channel, _shown(user, found) if may_hear else {"user_id": str(user.pk)})


def sign_user(user: AbstractBaseUser, who: Credentials, socket_id: str) -> dict[str, str]:
    """Return what `user` brings to sign in on one socket: `auth` and `user_data` (protocol, "User authentication").

    REALTIME["USER_DATA"] may name a function of the user that returns `user_info` and `watchlist`.
    """
    settings = config()
    more: dict[str, Any] = import_string(settings.user_data)(user) if settings.user_data else {}
    data = protocol.encode({**more, "id": str(user.pk), "sign_in": who.encrypted()})
    return {"auth": protocol.user_auth(settings.app_key, settings.app_secrets[0], socket_id, data), "user_data": data}


def _signed(socket_id: str, channel: str, channel_data: dict[str, Any]) -> dict[str, str]:
    settings, data = config(), protocol.encode(channel_data)
    auth = protocol.channel_auth(settings.app_key, settings.app_secrets[0], socket_id, channel, data)
    return {"auth": protocol.embed_channel_data(auth, data), "channel_data": data}


def _shown(user: AbstractBaseUser, found: Found) -> dict[str, Any]:
    """Return what the client learns of itself; the server tells the others by its own word."""
    data: dict[str, Any] = {"user_id": str(user.pk)}
    member = found.pattern.member(user, **found.parts) if found.pattern.is_presence else None
    return data if member is None else {"user_id": member.id, "user_info": member.info}


def _shared_secret(channel: str, found: Found) -> dict[str, str]:
    """Return the key of an encrypted channel, made of its name and REALTIME["ENCRYPTION_MASTER_KEY"] (32 bytes)."""
    if not found.pattern.is_encrypted:
        return {}
    key = hashlib.sha256(channel.encode() + config().encryption_master_key).digest()
    return {"shared_secret": base64.b64encode(key).decode()}
