"""The configuration in force as one reads it: each value, where it comes from, and no secret."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from realtime import limits
from realtime.conf import config

# What a value is called in the environment, where it is not REALTIME_ and the name of the field.
ENVIRONMENT = {
    "connection": "BROADCAST_CONNECTION",
    "app_secrets": "REALTIME_APP_SECRET",
    "redis_url": "REDIS_URL",
    "trusted_proxies": "TRUSTED_PROXIES",
}
CONNECTIONS = {
    "channels": "events are logged and told",
    "log": "events are written to the application's log only",
    "null": "events are dropped",
}
SHOWN_FROM = 16  # characters of a secret from which its first two are shown
STARS = "********"
SECRETS = ("secret", "password", "master_key")  # what the name of a secret has in it


@dataclass(frozen=True)
class Entry:
    """One value: its section, its name, what it is, and where it comes from."""

    section: str
    name: str
    value: Any
    source: str = ""


def entries() -> Iterator[Entry]:
    """Yield everything, section by section."""
    yield from _broadcasting()
    yield from _layer()
    yield Entry("database", "vendor", connection.vendor, "settings.DATABASES")
    place = _place_of_database(connection.settings_dict)
    yield Entry("database", "place", place, _source("DATABASE_URL", "settings.DATABASES"))
    yield Entry("origins", "allowed_hosts", list(settings.ALLOWED_HOSTS), _source("ALLOWED_HOSTS", "settings"))
    trusted = list(settings.CSRF_TRUSTED_ORIGINS)
    yield Entry("origins", "trusted_origins", trusted, _source("CSRF_TRUSTED_ORIGINS", "settings"))
    for name in filter(str.isupper, vars(limits)):
        yield Entry("limits", name.lower(), _plain(getattr(limits, name)), "realtime/limits.py")


def masked(secret: str | bytes) -> str:
    """Return the first two characters of a long secret; nothing of a short one or of bytes, not even the length."""
    return secret[:2] + STARS if isinstance(secret, str) and len(secret) >= SHOWN_FROM else STARS


def without_password(url: str) -> str:
    """Return an address without who signs in there, its query and its fragment: any may hold a secret."""
    parts = urlsplit(url)
    credentials, at, place = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    shown = f"{user}:{STARS}@{place}" if ":" in credentials else f"{user}{at}{place}"
    return urlunsplit((parts.scheme, shown, parts.path, STARS if parts.query else "", ""))


def _broadcasting() -> Iterator[Entry]:
    for name in (field.name for field in fields(config())):
        value = getattr(config(), name)
        yield Entry("broadcasting", name, _safe(name, value), _source_of(name))
        if name == "connection":
            yield Entry("broadcasting", "which means", CONNECTIONS.get(value, "unknown"))


def _layer() -> Iterator[Entry]:
    layer: dict[str, Any] = settings.CHANNEL_LAYERS.get("default", {})
    yield Entry("layer", "backend", layer.get("BACKEND", "none"), "settings.CHANNEL_LAYERS")
    hosts = [_place_of_layer(host) for host in layer.get("CONFIG", {}).get("hosts", ())]
    if hosts:
        yield Entry("layer", "hosts", hosts, _source("REDIS_URL", "settings.CHANNEL_LAYERS"))
    else:
        yield Entry("layer", "hosts", "none: each process by itself, and the tail of the log tells the others")


def _safe(name: str, value: Any) -> Any:
    """Return a value as it may be shown: secrets masked, addresses without passwords."""
    if isinstance(value, list | tuple):
        return [_safe(name, each) for each in value]
    if any(word in name for word in SECRETS):
        return masked(value) if value else ""
    return _address(name, value) if isinstance(value, str) and "://" in value else _plain(value)


def _address(name: str, url: str) -> str:
    """Return an address as it may be shown: of a receiver of webhooks, whose path is often secret, only the place."""
    shown = urlsplit(without_password(url))
    return f"{shown.scheme}://{shown.netloc}/{STARS}" if "webhook" in name else shown.geturl()


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _source_of(name: str) -> str:
    """Say where a value of settings.REALTIME comes from: the environment, the settings, or `realtime` itself."""
    otherwise = "settings.REALTIME" if name.upper() in settings.REALTIME else "default"
    return _source(ENVIRONMENT.get(name, f"REALTIME_{name.upper()}"), otherwise)


def _source(variable: str, otherwise: str) -> str:
    return f"{variable} in the environment" if variable in os.environ else otherwise


def _place_of_database(database: dict[str, Any]) -> str:
    host, port = database.get("HOST") or database.get("OPTIONS", {}).get("host", ""), database.get("PORT")
    name = str(database["NAME"])
    return f"{host}{f':{port}' if port else ''}/{name.lstrip('/')}" if host else name


def _place_of_layer(host: Any) -> str:
    if isinstance(host, dict):
        host = host.get("address", host.get("path", f"{host.get('host')}:{host.get('port')}"))
    if isinstance(host, list | tuple):
        return ":".join(str(part) for part in host)
    return without_password(str(host))
