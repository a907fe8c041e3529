"""Reads the environment strictly: what is missing or misspelt stops the start with a sentence."""

import os
import re
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

from realtime import installation

REALTIME_NAMES = (
    "REALTIME_APP_ID",
    "REALTIME_APP_KEY",
    "REALTIME_APP_SECRET",
    "REALTIME_HOST",
    "REALTIME_PORT",
    "REALTIME_SCHEME",
    "REALTIME_DEBUG",
    "REALTIME_WEBHOOKS",
    "REALTIME_WEBHOOK_NETWORKS",
)
DEVELOPMENT_SECRET = "insecure-development-only-" + "0" * 32


def secret(name: str, *, debug: bool) -> str:
    """Return the secret `name`; only DEBUG has a default, and only DEBUG accepts that default."""
    value = os.environ.get(name, DEVELOPMENT_SECRET if debug else "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} to a long random string (or DEBUG=true on your own machine).")
    if not debug and "insecure" in value:
        raise ImproperlyConfigured(f"{name} is the development default: set it to a long random string.")
    return value


def secrets(name: str, *, debug: bool) -> list[str]:
    """Return one secret, or two separated by a comma while they are rotated; the first one signs."""
    found = comma_separated(secret(name, debug=debug))
    if not 1 <= len(found) <= 2:
        raise ImproperlyConfigured(f"{name} takes one secret, or two separated by a comma.")
    return found


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of `allowed`."""
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to one of: {', '.join(allowed)}.")
    return value


def numeric(name: str, value: str) -> str:
    """Return `value` if it is a number: Pusher's Python library accepts no other app id."""
    if not value.isascii() or not value.isdigit():
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to a number, such as 1.")
    return value


def site_url(value: str) -> str:
    """Return `value` without a slash at the end, if it is empty or scheme and host of a site."""
    if value and not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?", value):
        raise ImproperlyConfigured(
            f"SITE_URL is {value!r}; set it to scheme and host, as in https://desk.example.com."
        )
    return value.rstrip("/")


def idle_minutes(value: int) -> int:
    """Return `value`: 0, or long enough for a session whose last activity is recorded every five minutes."""
    if value and not 10 <= value <= 20160:
        raise ImproperlyConfigured(f"STAFF_IDLE_MINUTES is {value}; set it to 10 to 20160, or to 0 for no limit.")
    return value


def redis_prefix(value: str, *, secret_key: str, redis_url: str, database: str) -> str:
    """Return `value`, or else a prefix that differs between installations and is the same in all their processes."""
    if not value:
        return installation.redis_prefix("tikm", secret_key=secret_key, redis_url=redis_url, database=database)
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", value):
        raise ImproperlyConfigured(
            f"REDIS_PREFIX is {value!r}; set it to 1 to 40 letters, digits, dots, hyphens or underscores."
        )
    return value


def webhooks(value: str) -> list[str | tuple[str, list[str]]]:
    """Return URLs, each with the events it receives if it names any: `https://a.example/hook member_added, https://...`."""
    parts = [part.split() for part in comma_separated(value)]
    return [(url, events) if events else url for url, *events in parts]


def origin_patterns(origins: Sequence[str]) -> list[str]:
    """Return regular expressions of the origins with a wildcard, such as https://*.example.com."""
    starred = [re.escape(origin) for origin in origins if "*" in origin]
    return ["^" + pattern.replace(r"\*\.", r"([a-z0-9-]+\.)*") + "$" for pattern in starred]


def comma_separated(value: str) -> list[str]:
    """Return the parts of a list that is separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def refuse_unknown_names() -> None:
    """Stop at a REALTIME_ name that nothing reads: it is a typing error."""
    for name in os.environ:
        if name.startswith("REALTIME_") and name not in REALTIME_NAMES:
            raise ImproperlyConfigured(f"{name} is not a setting; did you mean one of {', '.join(REALTIME_NAMES)}?")
