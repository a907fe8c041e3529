"""Which webhooks there are: addresses that are told who comes and goes, and the events that each wants."""

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

from realtime.webhooks.safe_http import Network

# Pusher: "Webhooks".
EVENTS = (
    "channel_occupied",
    "channel_vacated",
    "member_added",
    "member_removed",
    "client_event",
    "cache_miss",
)
MAX_URL = 500  # characters
PRINTABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Webhook:
    """An address, and the names of the events that it is told."""

    url: str
    events: frozenset[str]


def parse_webhook(value: Any) -> Webhook:
    """Read one member of `settings.REALTIME["WEBHOOKS"]`: an address, or a pair of it and names of events.

    Raises ImproperlyConfigured, with a sentence.
    """
    if isinstance(value, str):
        value = (value, EVENTS)
    if not (isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], str)):
        raise ImproperlyConfigured(f"{value!r} is neither the address of a webhook nor a pair of it and its events.")
    url, names = value
    _check_url(url)
    for name in names:
        if name not in EVENTS:
            raise ImproperlyConfigured(f"{name!r} is no event of a webhook; there are: {', '.join(EVENTS)}.")
    return Webhook(url, frozenset(names))


def network(text: str) -> Network:
    """Read one member of `settings.REALTIME["WEBHOOK_NETWORKS"]`, such as 10.1.0.0/16.

    Raises ImproperlyConfigured, with a sentence.
    """
    try:
        return ip_network(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{error}; a network is like 10.1.0.0/16.") from None


def place(url: str) -> str:
    """Return what of an address may be written into a log: its path may be a secret."""
    return urlsplit(url).netloc


def _check_url(url: str) -> None:
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"{url!r} is no address of a webhook: it is like https://example.com/hook.")
    if "@" in parts.netloc or "#" in url:
        raise ImproperlyConfigured(f"The webhook at {parts.hostname} takes neither a password nor a #fragment.")


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address, or None if it is none; names are written in ASCII (xn--)."""
    if not PRINTABLE.fullmatch(url) or len(url) > MAX_URL:
        return None
    try:
        parts = urlsplit(url)
        # Asked for, a port is checked.
        return parts if parts.port != 0 else None
    except ValueError:
        return None
