"""Presence across server processes: with Redis and without, and after a process is killed."""

from functools import partial

import pytest

from tests.support.clients.page_client import PageClient
from tests.support.servers import instances

REMOVED, ADDED = "pusher_internal:member_removed", "pusher_internal:member_added"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.integration.servers.processes.short_lease_settings"}


@pytest.fixture(scope="module", params=["redis", "database"])
def servers(environment, request):
    """Two processes that share a presence store; without Redis it is in the database."""
    redis_url = environment["REDIS_URL"] if request.param == "redis" else ""
    env = {"SECRET_KEY": environment["SECRET_KEY"], "REDIS_PREFIX": environment["REDIS_PREFIX"], **SETTINGS}
    serve = partial(
        instances.server, "uvicorn", database_url=environment["DATABASE_URL"], redis_url=redis_url, env=env
    )
    with serve() as one, serve() as other:
        yield one, other


def test_members_of_a_killed_server_are_removed_on_the_other_server(live_cast, servers):
    room, (here, there) = live_cast.ticket.presence_channel, servers
    bao, dana, dana_id = PageClient(live_cast.bao, here), PageClient(live_cast.dana, there), str(live_cast.dana.pk)
    with bao.subscribed(room):
        assert bao.answer["presence"]["count"] == 1
        with dana.subscribed(room):
            assert dana.answer["presence"]["count"] == 2
            assert bao.event(ADDED, within=60)["user_id"] == dana_id
            there.kill()
            assert bao.event(REMOVED, within=30)["user_id"] == dana_id
            there.start()
        assert bao.received.count(REMOVED) == 1


def test_page_reloaded_on_another_server_does_not_leave(live_cast, servers):
    room, (here, there) = live_cast.ticket.presence_channel, servers
    bao, ada = PageClient(live_cast.bao, here), PageClient(live_cast.ada, there)
    dana, again = PageClient(live_cast.dana, there), PageClient(live_cast.dana, here)
    with bao.subscribed(room):
        # Redis is emptied between tests; until its state is complete no leave is reported, and so this would show
        # nothing.
        with ada.subscribed(room):
            bao.event(ADDED, within=60)
            ada.leave(room)
            assert bao.event(REMOVED, within=10)["user_id"] == str(live_cast.ada.pk)
        with dana.subscribed(room):
            bao.event(ADDED, within=60)
        with again.subscribed(room):
            assert again.answer["presence"]["count"] == 2
            bao.receives_only_pong()
        assert bao.event(REMOVED, within=10)["user_id"] == str(live_cast.dana.pk)
    assert ADDED not in bao.received
