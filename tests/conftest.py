"""Fixtures: the cast, their sockets, and coroutine tests that share the test's database connection."""

import gc
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import channel_layers
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management.commands.migrate import Command as Migrate
from django.db import connection, connections
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from accounts.models import clear_settings_cache
from realtime.server import hub
from realtime.utils import rate_limits
from realtime.utils.circuit_breaker import redis_breaker
from tests.support import cast as casting
from tests.support import cast_copies, database_reset
from tests.support.servers import migrated

# Inputs take long to make on a busy machine.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run coroutine tests through async_to_sync, so that database work stays in the test's own thread."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    async_to_sync(_run)(lambda: pyfuncitem.obj(**wanted))
    return True


async def _run(test: Callable) -> None:
    try:
        await test()
    finally:
        await hub.here().close()


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Copy a migrated database, and bring its rows back after a test that commits, instead of Django's `flush`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Migrate, "execute", _copy_instead(Migrate.execute))
        request.getfixturevalue("django_db_setup")
    with django_db_blocker.unblock():
        put_back = database_reset.of_connection(connection)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: put_back())
        yield


def _copy_instead(migrate: Callable[..., None]) -> Callable[..., None]:
    """Return what takes the place of `migrate` while Django makes its test database."""

    def fill(command: Migrate, *, database: str, **options: Any) -> None:
        if connections[database].vendor == "sqlite":
            migrated.copy_to_connection(connections[database])
        elif not connections[database].settings_dict["TEST"].get("TEMPLATE"):
            migrate(command, database=database, **options)

    return fill


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a new channel layer and empty counters, and keep the test's database connection open."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda **_: None)
    # However long a test takes: queries are counted.
    monkeypatch.setattr("accounts.models.SETTINGS_CACHE_SECONDS", 3600.0)
    channel_layers.backends.clear()
    rate_limits._redis_limiter.cache_clear()
    rate_limits._memory_limiter.cache_clear()
    redis_breaker.reset()
    clear_settings_cache()
    translation.deactivate()  # of the last request of the test before
    cache.clear()
    LocMemCache("redis-fallback", {}).clear()  # of tikm.caches


@pytest.fixture(scope="session")
def new_cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Callable[[], casting.Cast]:
    """Return what writes the cast to the test's database."""
    if connection.vendor != "sqlite":
        return casting.create_cast
    with django_db_blocker.unblock():
        return cast_copies.Original.create().copy


@pytest.fixture
def cast(db: None, new_cast: Callable[[], casting.Cast]) -> casting.Cast:
    """The users and their ticket, in a transaction that is rolled back."""
    return new_cast()


@pytest.fixture
def live_cast(transactional_db: None, new_cast: Callable[[], casting.Cast]) -> casting.Cast:
    """The same users, with transactions that really commit and broadcast."""
    return new_cast()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage seldom, and never search what the imports left: a twentieth of the time of a test run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
