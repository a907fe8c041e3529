"""What may be wrong with a handshake, before anybody has said a word."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from realtime import protocol
from realtime.channels import authentication
from realtime.conf import config

VERSION = re.compile(r"[\w.+\-]{1,40}", re.ASCII)


def problem(scope: Mapping[str, Any]) -> tuple[int, str] | None:
    """Return close code and reason of a handshake that cannot go on."""
    if scope["url_route"]["kwargs"]["key"] != config().app_key:
        return protocol.NO_SUCH_APP, "There is no app with this key."
    if config().connection != "channels":
        return protocol.APP_DISABLED, "Broadcasting is switched off here."
    if authentication.is_cross_origin(scope):
        return protocol.UNAUTHORIZED, "This origin may not connect here."
    return _version_problem(parse_qs(scope["query_string"].decode("latin-1")))


def _version_problem(query: Mapping[str, list[str]]) -> tuple[int, str] | None:
    """Return what is wrong with the versions that a client names; who names none speaks ours."""
    version = query.get("version", ["0"])[0]
    if not VERSION.fullmatch(version):
        return protocol.INVALID_VERSION, "The version is not a version's name."
    text = query.get("protocol", [""])[0]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else protocol.NEWEST_PROTOCOL
    if not protocol.OLDEST_PROTOCOL <= number <= protocol.NEWEST_PROTOCOL:
        return protocol.UNSUPPORTED_PROTOCOL, f"Protocol {number} is not supported; 5 to 7 are."
    return None
