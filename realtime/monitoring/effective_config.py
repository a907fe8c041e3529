"""The effective configuration: each value and its source, with secrets masked."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from realtime import limits
from realtime.conf import config

# Environment names that are not REALTIME_ and the name of the field.
ENVIRONMENT = {
    "connection": "BROADCAST_CONNECTION",
    "app_secrets": "REALTIME_APP_SECRET",
    "redis_url": "REDIS_URL",
    "redis_shards": "REDIS_URL",
    "redis_sentinels": "REDIS_SENTINELS",
    "trusted_proxies": "TRUSTED_PROXIES",
}
CONNECTIONS = {
    "channels": "events are logged and broadcast",
    "log": "events are written to the application's log only",
    "null": "events are dropped",
}
MIN_SHOWN_LENGTH = 16  # characters: longer secrets show their first two
MASK = "********"
SECRET_WORDS = ("secret", "password", "master_key")  # parts of the names of secrets


@dataclass(frozen=True)
class Entry:
    """A value of the configuration and its source."""

    section: str
    name: str
    value: Any
    source: str = ""


def entries() -> Iterator[Entry]:
    """Yield all values, section by section."""
    yield from _broadcasting()
    yield from _layer()
    yield Entry("database", "vendor", connection.vendor, "settings.DATABASES")
    address = _database_address(connection.settings_dict)
    yield Entry("database", "address", address, _source("DATABASE_URL", "settings.DATABASES"))
    yield Entry("origins", "allowed_hosts", list(settings.ALLOWED_HOSTS), _source("ALLOWED_HOSTS", "settings"))
    trusted = list(settings.CSRF_TRUSTED_ORIGINS)
    yield Entry("origins", "trusted_origins", trusted, _source("CSRF_TRUSTED_ORIGINS", "settings"))
    for name in filter(str.isupper, vars(limits)):
        yield Entry("limits", name.lower(), _plain(getattr(limits, name)), "realtime/limits.py")


def mask(secret: str | bytes) -> str:
    """Return two characters of a long secret; nothing, not even the length, of a short one or of bytes."""
    return secret[:2] + MASK if isinstance(secret, str) and len(secret) >= MIN_SHOWN_LENGTH else MASK


def redact_url(url: str) -> str:
    """Return a URL without password, query and fragment."""
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    shown = f"{user}:{MASK}@{host}" if ":" in credentials else f"{user}{at}{host}"
    return urlunsplit((parts.scheme, shown, parts.path, MASK if parts.query else "", ""))


def _broadcasting() -> Iterator[Entry]:
    for name in (field.name for field in fields(config())):
        value = getattr(config(), name)
        yield Entry("broadcasting", name, _redact(name, value), _source_of(name))
        if name == "connection":
            yield Entry("broadcasting", "meaning", CONNECTIONS.get(value, "unknown"))


def _layer() -> Iterator[Entry]:
    layer: dict[str, Any] = settings.CHANNEL_LAYERS.get("default", {})
    yield Entry("layer", "backend", layer.get("BACKEND", "none"), "settings.CHANNEL_LAYERS")
    hosts = [_layer_address(host) for host in layer.get("CONFIG", {}).get("hosts", ())]
    if hosts:
        yield Entry("layer", "hosts", hosts, _source("REDIS_URL", "settings.CHANNEL_LAYERS"))
    else:
        yield Entry("layer", "hosts", "none: other processes receive events through their log tailer")


def _redact(name: str, value: Any) -> Any:
    """Return a value with secrets masked and URLs redacted."""
    if isinstance(value, list | tuple):
        return [_redact(name, each) for each in value]
    if any(word in name for word in SECRET_WORDS):
        return mask(value) if value else ""
    return _redact_setting_url(name, value) if isinstance(value, str) and "://" in value else _plain(value)


def _redact_setting_url(name: str, url: str) -> str:
    """Return a redacted URL; of a webhook without its path, which is often a secret."""
    shown = urlsplit(redact_url(url))
    return f"{shown.scheme}://{shown.netloc}/{MASK}" if "webhook" in name else shown.geturl()


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _source_of(name: str) -> str:
    """Return the source of a value of settings.REALTIME: the environment, the settings, or the default."""
    otherwise = "settings.REALTIME" if name.upper() in settings.REALTIME else "default"
    return _source(ENVIRONMENT.get(name, f"REALTIME_{name.upper()}"), otherwise)


def _source(variable: str, otherwise: str) -> str:
    return f"{variable} in the environment" if variable in os.environ else otherwise


def _database_address(database: dict[str, Any]) -> str:
    host, port = database.get("HOST") or database.get("OPTIONS", {}).get("host", ""), database.get("PORT")
    name = str(database["NAME"])
    return f"{host}{f':{port}' if port else ''}/{name.lstrip('/')}" if host else name


def _layer_address(host: Any) -> str:
    if isinstance(host, dict) and "master_name" in host:
        return f"{host['master_name']} by Sentinel {', '.join(f'{name}:{port}' for name, port in host['sentinels'])}"
    if isinstance(host, dict):
        host = host.get("address", host.get("path", f"{host.get('host')}:{host.get('port')}"))
    if isinstance(host, list | tuple):
        return ":".join(str(part) for part in host)
    return redact_url(str(host))
