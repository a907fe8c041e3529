"""What is counted is counted by all processes together, in Redis or in the database; and nothing waits for Redis."""

import time

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from limits import parse

from realtime.models import RateCounter
from realtime.utils import circuit_breaker, rate_limits
from tests.integration.servers.database.concurrent_transactions import run_concurrently
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD
from tests.support.servers.instances import wait_until

TWICE = parse("2/minute")


def asks(who):
    return rate_limits.allowed(TWICE, "the news", who)


@pytest.fixture
def without_redis(settings):
    settings.REALTIME = {**settings.REALTIME, "REDIS_URL": ""}


def test_rate_is_counted_across_processes(redis_server):
    assert asks("casey")
    rate_limits._redis_limiter.cache_clear()  # as in another process
    assert [asks("casey"), asks("casey"), asks("greta")] == [True, False, True]


def test_rate_limit_allows_requests_while_redis_is_down(redis_server):
    assert [asks("bao"), asks("bao"), asks("bao")] == [True, True, False]
    redis_server.kill()
    assert asks("bao")


@pytest.mark.django_db(transaction=True)
def test_database_counter_loses_no_concurrent_hit(without_redis):
    rate = parse("20/minute")
    answers = []
    run_concurrently([lambda: answers.extend(rate_limits.allowed(rate, "casey") for _ in range(5))] * 5)
    assert sorted(answers) == [False] * 5 + [True] * 20
    assert rate_limits.allowed(rate, "greta")


@pytest.mark.django_db
def test_database_counter_expires(without_redis, monkeypatch):
    assert [asks("casey") for _ in range(3)] == [True, True, False]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert asks("casey")
    monkeypatch.setattr(time, "time", lambda: now + 122)
    RateCounter.delete_expired()
    assert not RateCounter.objects.exists()


SIGN_UP = {"email": "new@example.com", "name": "Newcomer", "password1": PASSWORD, "password2": PASSWORD}


def use_the_desk(cast):
    """Sign up, sign in, reply and ask the API; return the seconds that it took."""
    browser = Client()
    begun = time.monotonic()
    assert Client().post("/register/", SIGN_UP).status_code == 302
    assert browser.post("/login/", {"login": cast.bao.email, "password": PASSWORD}).status_code == 302
    assert browser.post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": "Which one?"}).status_code == 302
    assert ApiClient(cast.casey).get("me/").status_code == 200
    return time.monotonic() - begun


def test_site_works_while_redis_is_down(live_cast, redis_server, caplog):
    usual = use_the_desk(live_cast)
    redis_server.kill()
    assert use_the_desk(live_cast) < 2 + 3 * usual
    assert [
        record.message.partition(" error=")[0] for record in caplog.records if record.name == circuit_breaker.__name__
    ] == ["service unavailable name=redis"]


def test_site_waits_once_for_a_hanging_redis(live_cast, redis_server):
    cache.set("before", 1)
    usual = use_the_desk(live_cast)
    with redis_server.hanging():
        assert circuit_breaker.TIMEOUT < use_the_desk(live_cast) < circuit_breaker.TIMEOUT + 2 + 3 * usual
        assert cache.get("before") is None
    wait_until(lambda: cache.get("before") == 1, timeout=60, message="Redis is not asked again.")


def test_wrong_passwords_are_counted_while_redis_is_down(live_cast, redis_server):
    redis_server.kill()
    wrong = {"login": live_cast.bao.email, "password": "guess"}
    for _ in range(5):
        Client().post("/login/", wrong)
    answer = Client().post("/login/", {"login": live_cast.bao.email, "password": PASSWORD})
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.text


@pytest.mark.django_db(transaction=True)
def test_wrong_passwords_are_counted_in_the_database_without_redis(live_cast, settings):
    table = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "tikm_cache"}
    settings.CACHES = {"default": table}
    for _ in range(5):
        Client().post("/login/", {"login": live_cast.bao.email, "password": "guess"})
    assert "Too many" in Client().post("/login/", {"login": live_cast.bao.email, "password": PASSWORD}).text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tikm_cache")
        assert cursor.fetchone()[0]
