"""Several Redis servers that share the groups, and a master that Sentinels replace: nothing is lost."""

from contextlib import ExitStack, contextmanager

import pytest
import redis

from realtime.doctor import redis_servers
from realtime.doctor.problem import Advice, Problem
from realtime.utils import redis_client
from tests.support.clients.page_client import PageClient
from tests.support.servers import instances
from tests.support.servers.instances import RedisOnPort, RedisSentinel, wait_until
from tikm.caches import FallbackRedisCache

MASTER = "Desk-1"


@pytest.fixture
def two(redis_server, tmp_path):
    """Two Redis servers."""
    with instances.RedisServer(tmp_path) as other:
        yield redis_server, other


@pytest.fixture
def replicated(tmp_path_factory):
    """A master, its replica and a Sentinel."""
    with ExitStack() as stack:
        master = stack.enter_context(RedisOnPort(tmp_path_factory.mktemp("master")))
        replica = stack.enter_context(RedisOnPort(tmp_path_factory.mktemp("replica"), replica_of=master.port))
        folder = tmp_path_factory.mktemp("sentinel")
        yield master, replica, stack.enter_context(RedisSentinel(folder, name=MASTER, master=master.port))


@contextmanager
def two_people(environment, live_cast, **redis_settings):
    """Casey and Bao on Casey's ticket, each at a server of their own."""
    env = {name: environment[name] for name in ("SECRET_KEY", "REDIS_PREFIX")} | redis_settings
    with ExitStack() as stack:
        pages = []
        for user in (live_cast.casey, live_cast.bao):
            server = instances.server("uvicorn", database_url=environment["DATABASE_URL"], env=env)
            pages.append(PageClient(user, stack.enter_context(server)))
            stack.enter_context(pages[-1].subscribed(live_cast.ticket.channel))
        yield pages


def converse(pages, ticket, *texts):
    """Have each page write in turn; both receive each message, and no other in between."""
    for number, text in enumerate(texts):
        pages[number % 2].visitor.reply(ticket.uuid, text)
        for page in pages:
            page.receives(text, within=60)


def groups(url):
    """Return the channels of the layer that servers have subscribed to."""
    with redis.Redis.from_url(url) as client:
        return set(client.pubsub_channels())


def test_two_servers_share_the_groups_and_one_may_be_down(environment, live_cast, two):
    one, other = two
    with two_people(environment, live_cast, REDIS_URL=f"{one.url},{other.url}") as pages:
        converse(pages, live_cast.ticket, "First", "Second")
        shares = [groups(server.url) for server in two]
        assert all(shares)
        assert not set.intersection(*shares)
        other.kill()
        converse(pages, live_cast.ticket, "Third", "Fourth")
        other.start()
        wait_until(lambda: groups(other.url) == shares[1], timeout=60, message="The groups are not joined again.")
        converse(pages, live_cast.ticket, "Fifth", "Sixth")


def test_pages_follow_the_master_that_sentinels_promote(environment, live_cast, replicated):
    master, replica, sentinel = replicated
    settings = {"REDIS_URL": f"redis://{MASTER}/0", "REDIS_SENTINELS": f"127.0.0.1:{sentinel.port}"}
    with two_people(environment, live_cast, **settings) as pages:
        converse(pages, live_cast.ticket, "First", "Second")
        joined = groups(master.url)
        assert joined
        master.kill()
        converse(pages, live_cast.ticket, "Third", "Fourth")
        wait_until(lambda: sentinel.master() == replica.port, timeout=60, message="There is no new master.")
        wait_until(lambda: joined <= groups(replica.url), timeout=60, message="The groups are not joined again.")
        converse(pages, live_cast.ticket, "Fifth", "Sixth")


@pytest.fixture
def by_sentinel(settings, replicated):
    """Have this process ask the Sentinel, too."""
    addresses = (f"127.0.0.1:{replicated[2].port}",)
    settings.REALTIME = settings.REALTIME | {"REDIS_URL": f"redis://{MASTER}/0", "REDIS_SENTINELS": addresses}
    return replicated


def test_counters_and_cache_are_at_the_master(by_sentinel):
    master = by_sentinel[0]
    redis_client.connection().set(redis_client.key("here"), 1)
    FallbackRedisCache("", {}).set("there", 1)
    with redis.Redis.from_url(master.url) as client:
        assert client.exists(redis_client.key("here")) == 1
        assert [key for key in client.scan_iter() if key.endswith(b"there")]


def test_doctor_names_the_server_or_sentinel_that_is_down(by_sentinel, settings):
    _master, _replica, sentinel = by_sentinel
    assert "the master of 1 Sentinel" in redis_servers.check()
    other = f"127.0.0.1:{instances.free_port()}"
    settings.REALTIME = settings.REALTIME | {"REDIS_SENTINELS": (f"127.0.0.1:{sentinel.port}", other)}
    with pytest.raises(Advice, match=f"The Sentinel {other} does not answer"):
        redis_servers.check()
    settings.REALTIME = settings.REALTIME | {"REDIS_URL": "redis://another/0"}
    with pytest.raises(Problem, match="No Sentinel knows a master another"):
        redis_servers.check()


def test_doctor_tests_each_of_several_servers(settings, two):
    one, other = two
    settings.REALTIME = settings.REALTIME | {"REDIS_URL": one.url, "REDIS_SHARDS": (other.url,)}
    assert redis_servers.check().startswith("2 Redis servers")
    other.kill()
    with pytest.raises(Problem) as problem:
        redis_servers.check()
    assert other.url.removeprefix("unix://") in str(problem.value)
