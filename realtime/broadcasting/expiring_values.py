"""Values that all processes share for a limited time, in Redis or else in the database.

All methods are synchronous and raise ServiceUnavailable while the store fails.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from django.db import DatabaseError, transaction
from redis import RedisError

from realtime.conf import config
from realtime.models import ExpiringValue, database_time
from realtime.protocol import encode
from realtime.utils import redis_client
from realtime.utils.circuit_breaker import unavailable_on


@dataclass(frozen=True)
class Found:
    """A stored value, and the whole seconds until it expires."""

    value: dict[str, Any]
    ttl: int


class ExpiringValues(Protocol):
    """A store of JSON objects by key."""

    def add(self, key: str, *, seconds: int) -> bool:
        """Store `key` without a value; return False if it is stored already."""

    def put(self, key: str, value: dict[str, Any], *, seconds: int) -> None:
        """Store or replace a value."""

    def get(self, key: str) -> Found | None:
        """Return a value, or None if it is missing or has expired."""


class RedisExpiringValues(ExpiringValues):
    """Expiring values in Redis."""

    @unavailable_on(RedisError)
    def add(self, key: str, *, seconds: int) -> bool:
        return bool(redis_client.connection().set(redis_client.key(f"seen:{key}"), 1, nx=True, ex=seconds))

    @unavailable_on(RedisError)
    def put(self, key: str, value: dict[str, Any], *, seconds: int) -> None:
        redis_client.connection().set(redis_client.key(f"kept:{key}"), encode(value), ex=seconds)

    @unavailable_on(RedisError)
    def get(self, key: str) -> Found | None:
        name, pipeline = redis_client.key(f"kept:{key}"), redis_client.connection().pipeline()
        pipeline.get(name).ttl(name)
        text, ttl = pipeline.execute()
        return None if text is None else Found(json.loads(text), ttl)


class DatabaseExpiringValues(ExpiringValues):
    """Expiring values in the database."""

    @unavailable_on(DatabaseError)
    def add(self, key: str, *, seconds: int) -> bool:
        """See the base class; also delete expired values."""
        now = database_time()
        with transaction.atomic():
            ExpiringValue.objects.filter(expires_at__lte=now).delete()
            expires_at = now + timedelta(seconds=seconds)
            return ExpiringValue.objects.get_or_create(key=key, defaults={"expires_at": expires_at})[1]

    @unavailable_on(DatabaseError)
    def put(self, key: str, value: dict[str, Any], *, seconds: int) -> None:
        expires_at = database_time() + timedelta(seconds=seconds)
        ExpiringValue.objects.update_or_create(key=key, defaults={"value": value, "expires_at": expires_at})

    @unavailable_on(DatabaseError)
    def get(self, key: str) -> Found | None:
        now = database_time()
        found = ExpiringValue.objects.filter(key=key, expires_at__gt=now).first()
        return None if found is None else Found(found.value, int((found.expires_at - now).total_seconds()))


def expiring_values() -> ExpiringValues:
    """Return the configured store: Redis if REALTIME["REDIS_URL"] is set, else the database."""
    return RedisExpiringValues() if config().redis_url else DatabaseExpiringValues()
