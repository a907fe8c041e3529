"""The settings of `realtime`: the keys of settings.REALTIME in lower case, with their defaults."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from realtime import installation

APP_KEY = r"[A-Za-z0-9_-]{1,100}"  # of REALTIME["APP_KEY"], which is part of URLs
RENAMED = {"AUTHENTICATE_WITHIN": "AUTHENTICATION_TIMEOUT", "MEMBERS_A_CHANNEL": "MAX_MEMBERS_PER_CHANNEL"}


@dataclass(frozen=True)
class Config:
    """The configuration; times in seconds, sizes in bytes. realtime/README.md documents each key."""

    channels: str  # dotted path of the module with `channelpatterns`
    app_id: str
    app_key: str
    app_secrets: tuple[str, ...]  # the first one signs; a second one is accepted while they are rotated
    connection: str = "channels"  # or "log", "null"
    host: str = ""
    port: int = 0
    scheme: str = ""
    debug: bool = False
    redis_url: str = ""
    redis_shards: tuple[str, ...] = ()  # further servers of the channel layer, each with a part of the groups
    redis_sentinels: tuple[str, ...] = ()  # see realtime/utils/redis_client.py
    redis_prefix: str = ""  # default: see realtime/installation.py
    bearer: str = ""
    websocket_class: str = "realtime.serve.pusher_protocol.PusherProtocol"  # see docs/serving.md
    trusted_proxies: tuple[str, ...] = ()  # addresses, networks and "unix": see realtime/utils/client_address.py
    user_data: str = ""
    encryption_master_key: bytes = b""
    tail_interval: float = 1.0
    lease: float = 20
    activity_timeout: float = 30
    pong_timeout: float = 15
    authentication_timeout: float = 0
    max_members_per_channel: int = 100
    retention_days: int = 30
    max_upload: int = 64 * 1024**2  # bytes of one request
    reserved_events: tuple[str, ...] = ()  # prefixes of event names that the HTTP API may not publish
    refuse_replays: bool = False  # see docs/reference/http-api.md
    webhooks: tuple[Any, ...] = ()  # URLs, or pairs of a URL and event names: see realtime/webhooks/config.py
    doctor: str = ""  # dotted path of a module with `steps`: see realtime/doctor/steps.py
    webhook_networks: tuple[str, ...] = ()  # private networks that webhooks may reach
    webhook_queue: str = ""  # dotted path of the function that has a job deliver them: see realtime/README.md

    @property
    def renew_interval(self) -> float:
        """Seconds between two renewals of a process's lease: three may be lost before it expires."""
        return self.lease / 4


_cached: list[tuple[Any, Config]] = []  # the last settings.REALTIME, and the configuration read from it


def config() -> Config:
    """Return the configuration, read again if `settings.REALTIME` was replaced. Raises ImproperlyConfigured."""
    source = getattr(settings, "REALTIME", None) or {}
    if not _cached or _cached[0][0] is not source:
        _cached[:] = [(source, _read(source))]
    return _cached[0][1]


def _read(source: Mapping[str, Any]) -> Config:
    known = {field.name.upper(): field for field in fields(Config)}
    for key in source:
        if key in RENAMED:
            raise ImproperlyConfigured(f'REALTIME["{key}"] is now called "{RENAMED[key]}"; rename it.')
        if key not in known:
            raise ImproperlyConfigured(f'REALTIME["{key}"] is not a setting; expected one of: {", ".join(known)}.')
    missing = [key for key, field in known.items() if field.default is MISSING and key not in source]
    if missing:
        raise ImproperlyConfigured(f"settings.REALTIME has no {', '.join(missing)}; see realtime/README.md.")
    values = {key.lower(): value for key, value in source.items()}
    prefix = values.get("redis_prefix") or _default_prefix(values.get("redis_url", ""))
    return Config(**values | {"app_secrets": tuple(values["app_secrets"]), "redis_prefix": prefix})


def _default_prefix(redis_url: str) -> str:
    database = str(settings.DATABASES.get("default", {}).get("NAME", ""))
    return installation.redis_prefix(
        "realtime", secret_key=settings.SECRET_KEY, redis_url=redis_url, database=database
    )
