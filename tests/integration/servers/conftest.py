"""Fixtures on PostgreSQL and Redis, in a pytest process of their own: `pytest tests/integration/servers`."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.test import TransactionTestCase, override_settings
from psycopg.errors import DeadlockDetected

from tests.support.servers import instances, migrated

RESTORATIONS = 10  # tries
HERE = Path(__file__).parent
NAMES = ("CACHES", "CHANNEL_LAYERS", "REALTIME", "REDIS_PREFIX", "REDIS_URL")


@pytest.fixture(scope="session", autouse=True)
def _own_process(request: pytest.FixtureRequest) -> None:
    """Fail beside tests of other folders: the fixtures below replace the database of the whole pytest process."""
    others = [item.nodeid for item in request.session.items if not item.path.is_relative_to(HERE)]
    if others:
        folder = HERE.relative_to(instances.TOP)
        pytest.fail(f"{folder} needs a pytest process of its own; {others[0]} is selected too.", pytrace=False)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """Run PostgreSQL; the test database is a copy of its migrated one."""
    with migrated.postgres() as url:
        yield url.replace(f"/{migrated.DATABASE}?", "/postgres?")


@pytest.fixture(scope="session")
def _one_redis() -> Iterator[instances.RedisServer]:
    with instances.redis_server() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def django_db_modify_db_settings(
    _own_process: None, database_url: str, _one_redis: instances.RedisServer
) -> Iterator[None]:
    """Have Django use what the product's own settings make of an environment that names both services."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database_url)
        patch.setenv("REDIS_URL", _one_redis.url)
        product = runpy.run_path(instances.TOP / "tikm/settings.py")
        product["DATABASES"]["default"]["TEST"] = {"TEMPLATE": migrated.DATABASE}
        patch.setattr(settings, "DATABASES", product["DATABASES"])
        patch.setattr(connections, "settings", connections.configure_settings(product["DATABASES"]))
        del connections["default"]
        with override_settings(**{name: product[name] for name in NAMES}):
            yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Retry the restoration between two tests after a deadlock: servers write at the same time."""
    put_back = TransactionTestCase._fixture_teardown

    def try_again(test_case: TransactionTestCase) -> None:
        for _ in range(RESTORATIONS):
            try:
                return put_back(test_case)
            except OperationalError as error:
                if not isinstance(error.__cause__, DeadlockDetected):
                    raise
                deadlock = error
        raise deadlock

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", try_again)
        yield


@pytest.fixture
def redis_server(_one_redis: instances.RedisServer) -> Iterator[instances.RedisServer]:
    """The Redis of the test run; a test may kill it, the next one finds it alive."""
    yield _one_redis
    if not _one_redis.answers():
        _one_redis.kill()
        _one_redis.start()


@pytest.fixture(scope="session")
def environment(database_url: str, _one_redis: instances.RedisServer, django_db_setup: None) -> dict[str, str]:
    """Return the environment of another process of the site: database, Redis and secret."""
    name = connections["default"].settings_dict["NAME"]
    return {
        "DATABASE_URL": database_url.replace("/postgres?", f"/{name}?"),
        "REDIS_URL": _one_redis.url,
        "REDIS_PREFIX": settings.REDIS_PREFIX,  # by default it depends on the name of the database
        "SECRET_KEY": settings.SECRET_KEY,
    }
