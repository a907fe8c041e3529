"""Sign subscriptions and sign-ins for clients whose socket does not know the user."""

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
    user: AbstractBaseUser, credentials: Credentials, socket_id: str, channel: str
) -> dict[str, str] | None:
    """Sign a subscription of `user` for one socket; None if they may not subscribe.

    Returns `auth` and `channel_data` ("Authorizing users"), and the `shared_secret` of an encrypted channel. The
    encrypted session is part of the channel data, so that the subscription ends with the session. The data are also
    embedded in `auth`, since many clients (iOS, Pysher, asyncpusher) send only that.
    """
    found = find(channel)
    if found is None or not found.pattern.needs_auth or authorize(user, channel) is None:
        return None
    data = _channel_data(user, found) | {"sign_in": credentials.encrypted()}
    return _signed(socket_id, channel, data) | _shared_secret(channel, found)


def sign_for_tool(user: AbstractBaseUser, socket_id: str, channel: str) -> dict[str, str]:
    """Sign a subscription as `user` for a tool that knows the app secret; the server authorizes the user.

    No session is included: after every change that concerns the user the tool has to authorize again.
    """
    found = find(channel)
    if found is None or not found.pattern.needs_auth:
        return {"auth": ""}
    is_authorized = authorize(user, channel) is not None
    return _signed(socket_id, channel, _channel_data(user, found) if is_authorized else {"user_id": str(user.pk)})


def sign_user(user: AbstractBaseUser, credentials: Credentials, socket_id: str) -> dict[str, str]:
    """Sign a sign-in of `user` for one socket: returns `auth` and `user_data` ("User authentication").

    REALTIME["USER_DATA"] may name a function of the user that returns `user_info` and `watchlist`.
    """
    settings = config()
    more: dict[str, Any] = import_string(settings.user_data)(user) if settings.user_data else {}
    data = protocol.encode({**more, "id": str(user.pk), "sign_in": credentials.encrypted()})
    return {"auth": protocol.user_auth(settings.app_key, settings.app_secrets[0], socket_id, data), "user_data": data}


def _signed(socket_id: str, channel: str, channel_data: dict[str, Any]) -> dict[str, str]:
    settings, data = config(), protocol.encode(channel_data)
    auth = protocol.channel_auth(settings.app_key, settings.app_secrets[0], socket_id, channel, data)
    return {"auth": protocol.embed_channel_data(auth, data), "channel_data": data}


def _channel_data(user: AbstractBaseUser, found: Found) -> dict[str, Any]:
    """Return the channel data that the client receives; other members see what the server states."""
    data: dict[str, Any] = {"user_id": str(user.pk)}
    member = found.pattern.member(user, **found.parts) if found.pattern.is_presence else None
    return data if member is None else {"user_id": member.id, "user_info": member.info}


def _shared_secret(channel: str, found: Found) -> dict[str, str]:
    """Derive the key of an encrypted channel from its name and REALTIME["ENCRYPTION_MASTER_KEY"] (32 bytes)."""
    if not found.pattern.is_encrypted:
        return {}
    key = hashlib.sha256(channel.encode() + config().encryption_master_key).digest()
    return {"shared_secret": base64.b64encode(key).decode()}
