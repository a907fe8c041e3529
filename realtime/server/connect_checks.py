"""Checks of a WebSocket handshake that need no user: app key, origin, protocol version."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from realtime import protocol
from realtime.channels.authentication import is_cross_origin
from realtime.conf import config
from realtime.protocol import CloseReason, close_codes

VERSION = re.compile(r"[\w.+\-]{1,40}", re.ASCII)


def find_problem(scope: Mapping[str, Any]) -> CloseReason | None:
    """Return why the handshake cannot go on, or None."""
    if scope["url_route"]["kwargs"]["key"] != config().app_key:
        return close_codes.UNKNOWN_APP
    if config().connection != "channels":
        return close_codes.APP_DISABLED
    if is_cross_origin(scope):
        return close_codes.ORIGIN_NOT_ALLOWED
    return _version_problem(parse_qs(scope["query_string"].decode("latin-1")))


def _version_problem(query: Mapping[str, list[str]]) -> CloseReason | None:
    """Check the client and protocol versions; a client that states none speaks the newest."""
    if not VERSION.fullmatch(query.get("version", ["0"])[0]):
        return close_codes.INVALID_VERSION
    text = query.get("protocol", [""])[0]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else protocol.NEWEST_PROTOCOL
    if not protocol.OLDEST_PROTOCOL <= number <= protocol.NEWEST_PROTOCOL:
        return close_codes.UNSUPPORTED_PROTOCOL.format(number=number)
    return None
