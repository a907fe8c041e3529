"""Values that expire, in Redis and in the database."""

import pytest
import redis
from django.conf import settings

from realtime.broadcasting import cached_events
from realtime.broadcasting.expiring_values import expiring_values
from realtime.channels import Audience


@pytest.fixture(params=["redis", "postgresql"], autouse=True)
def _store(request, transactional_db, redis_server, monkeypatch):
    url = redis_server.url if request.param == "redis" else ""
    monkeypatch.setattr(settings, "REALTIME", {**settings.REALTIME, "REDIS_URL": url})
    if url:
        redis.Redis.from_url(url).flushdb()


def test_only_the_first_add_of_a_key_returns_true():
    assert expiring_values().add("signature", seconds=60)
    assert not expiring_values().add("signature", seconds=60)
    assert expiring_values().add("another", seconds=60)


def test_cached_event_belongs_to_one_audience_and_expires():
    assert cached_events.get("cache-weather", Audience.PUBLIC) is None
    cached_events.put("cache-weather", Audience.PUBLIC, "frame", "data")
    last = cached_events.get("cache-weather", Audience.PUBLIC)
    assert (last.frame, last.data) == ("frame", "data")
    assert 1790 < last.ttl <= 1800
    assert cached_events.get("cache-weather", Audience.STAFF) is None
