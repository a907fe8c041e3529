"""The webhooks that settings.REALTIME["WEBHOOKS"] names: URLs, and the events that each receives."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

from realtime.conf import config
from realtime.limits import MAX_WEBHOOK_URL_LENGTH

# Pusher: "Webhooks", section "Events".
EVENTS = (
    "channel_occupied",
    "channel_vacated",
    "member_added",
    "member_removed",
    "client_event",
    "cache_miss",
)
PRINTABLE_ASCII = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Webhook:
    """A URL, and the names of the events that are sent to it."""

    url: str
    events: frozenset[str]


def webhooks() -> list[Webhook]:
    """Return the configured webhooks, each URL once. Raises ImproperlyConfigured."""
    events: dict[str, frozenset[str]] = {}
    for each in map(parse_webhook, config().webhooks):
        events[each.url] = events.get(each.url, frozenset()) | each.events
    return [Webhook(url, names) for url, names in events.items()]


def parse_webhook(value: Any) -> Webhook:
    """Parse an item of REALTIME["WEBHOOKS"]: a URL, or a URL and event names. Raises ImproperlyConfigured."""
    if isinstance(value, str):
        value = (value, EVENTS)
    if not (isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], str)):
        raise ImproperlyConfigured(f"{value!r} is not a webhook; expected a URL, or a pair of a URL and event names.")
    url, names = value
    _check_url(url)
    for name in names:
        if name not in EVENTS:
            raise ImproperlyConfigured(f"{name!r} is not a webhook event; expected one of: {', '.join(EVENTS)}.")
    return Webhook(url, frozenset(names))


def _check_url(url: str) -> None:
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"{url!r} is not a webhook URL; expected one like https://example.com/hook.")
    if "@" in parts.netloc or "#" in url:
        raise ImproperlyConfigured(f"The webhook URL of {parts.hostname} must not have a password or a #fragment.")


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; None if it is too long, invalid or not ASCII (xn-- for other names)."""
    if not PRINTABLE_ASCII.fullmatch(url) or len(url) > MAX_WEBHOOK_URL_LENGTH:
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None  # reading the port validates it
    except ValueError:
        return None
