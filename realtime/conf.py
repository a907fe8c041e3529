"""The settings of `realtime`: what `settings.REALTIME` may hold, with its defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Config:
    """Times in seconds, sizes in bytes of UTF-8."""

    channels: str
    app_id: str
    app_key: str
    app_secrets: tuple[str, ...]
    connection: str = "channels"
    host: str = ""
    port: int = 0
    scheme: str = ""
    debug: bool = False
    redis_url: str = ""
    redis_prefix: str = "realtime"
    bearer: str = ""
    trusted_proxies: tuple[str, ...] = ()  # addresses, networks and "unix": realtime/utils/client_address.py
    user_data: str = ""
    encryption_master_key: bytes = b""
    tail_interval: float = 1.0
    lease: float = 20
    activity_timeout: float = 30
    pong_timeout: float = 15
    authenticate_within: float = 30
    members_a_channel: int = 100
    retention_days: int = 30
    max_upload: int = 64 * 1024**2  # of one request to the pages, where the sockets' processes pass it on
    reserved_events: tuple[str, ...] = ()  # beginnings of names that the HTTP API may not use
    refuse_replays: bool = True  # a POST to the HTTP API is done once; see docs/reference/http-api.md
    webhooks: tuple[
        Any, ...
    ] = ()  # addresses, or pairs of an address and the names of events: realtime/webhooks/config.py
    webhook_networks: tuple[str, ...] = ()  # networks in which receivers may be, though they are not public

    @property
    def renew_interval(self) -> float:
        """How often a process says in the census that it lives: three words may be lost before it counts as dead."""
        return self.lease / 4


_known: list[tuple[Any, Config]] = []  # the last settings.REALTIME, and what it said


def config() -> Config:
    """Return the configuration in force, read anew when `settings.REALTIME` is another one: tests override it."""
    source = settings.REALTIME
    if not _known or _known[0][0] is not source:
        _known[:] = [(source, _read(source))]
    return _known[0][1]


def _read(source: Mapping[str, Any]) -> Config:
    values: dict[str, Any] = {name.lower(): value for name, value in source.items()}
    values["app_secrets"] = tuple(values.get("app_secrets", ()))
    try:
        return Config(**values)
    except TypeError as error:
        raise ImproperlyConfigured(f"settings.REALTIME: {error}") from None
