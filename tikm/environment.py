"""Reads the environment strictly: what is missing or misspelt stops the start with a sentence."""

import os
from collections.abc import Sequence
from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured

from realtime.utils.client_address import UNIX
from realtime.webhooks.config import EVENTS, network, parse_webhook

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
    found = [part.strip() for part in secret(name, debug=debug).split(",") if part.strip()]
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


def webhooks(name: str, value: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return addresses, each with the events that it wants: `https://a.example/hook member_added, https://...`."""
    found = []
    for part in filter(None, map(str.strip, value.split(","))):
        url, *events = part.split()
        try:
            found.append((parse_webhook((url, events) if events else url).url, tuple(events) or EVENTS))
        except ImproperlyConfigured as error:
            raise ImproperlyConfigured(f"{name}: {error}") from None
    return found


def networks(name: str, value: str) -> list[str]:
    """Return networks such as 10.1.0.0/16, written with commas between them."""
    found = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return [str(network(part)) for part in found]
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def proxies(name: str, value: str) -> list[str]:
    """Return addresses, networks and `unix`, written with commas between them."""
    found = [part.strip() for part in value.split(",") if part.strip()]
    return [part if part == UNIX else _network_of_proxies(name, part) for part in found]


def _network_of_proxies(name: str, part: str) -> str:
    try:
        found = ip_network(part)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}; set it to addresses and networks such as 10.1.0.0/16, or unix."
        ) from None
    if not found.prefixlen:
        raise ImproperlyConfigured(f"{name}: {part} is everybody, who could then say that he comes from anywhere.")
    return str(found)


def refuse_unknown_names() -> None:
    """Stop at a REALTIME_ name that nothing reads: it is a typing error."""
    for name in os.environ:
        if name.startswith("REALTIME_") and name not in REALTIME_NAMES:
            raise ImproperlyConfigured(f"{name} is not a setting; did you mean one of {', '.join(REALTIME_NAMES)}?")
