"""Both presence stores give the same results, also after a process has died."""

import time

import pytest
import redis
from django.conf import settings

from realtime.presence.store import EntryChange, Occupancy, ProcessReport, SocketReport, SyncRequest, presence_store
from realtime.protocol import Member
from realtime.utils.circuit_breaker import ServiceUnavailable
from tests.integration.servers.database.concurrent_transactions import run_concurrently

ROOM = "presence-room.a"
CASEY, BAO = Member("casey", {"name": "Casey"}), Member(7, {"name": "Bao"})


@pytest.fixture(params=["redis", "postgresql"], autouse=True)
def _store(request, transactional_db, redis_server, monkeypatch):
    url = redis_server.url if request.param == "redis" else ""
    monkeypatch.setattr(settings, "REALTIME", {**settings.REALTIME, "REDIS_URL": url})
    if url:
        redis.Redis.from_url(url).flushdb()


def lease_of(seconds, monkeypatch):
    monkeypatch.setattr(settings, "REALTIME", {**settings.REALTIME, "LEASE": seconds})


def say(process, *changes, **more):
    return presence_store().sync(SyncRequest(process, changes, **more))


def took(channel, member=None, sockets=1):
    return EntryChange(channel, sockets, member)


def left(channel, member=None):
    return EntryChange(channel, None, member)


def test_user_on_two_processes_is_one_member():
    say("one", took(ROOM, CASEY, 2), took("news", sockets=3))
    answer = say("two", took(ROOM, CASEY), took(ROOM, BAO), channels=[ROOM, "empty"])
    assert answer.occupancies == {ROOM: Occupancy(4, {"7": BAO, "casey": CASEY}), "empty": Occupancy()}
    assert presence_store().occupied() == {"news": Occupancy(3), ROOM: answer.occupancies[ROOM]}
    assert list(presence_store().occupied("presence-")) == [ROOM]


def test_joins_and_leaves_are_reported_once_across_processes():
    came = say("one", took(ROOM, CASEY)).events
    assert [event["name"] for event in came] == ["channel_occupied", "member_added"]
    assert say("two", took(ROOM, CASEY)).events == []
    assert say("one", left(ROOM, CASEY)).events == []
    assert say("two", left(ROOM, CASEY)).events == [
        {"name": "member_removed", "channel": ROOM, "user_id": "casey"},
        {"name": "channel_vacated", "channel": ROOM},
    ]
    assert presence_store().occupied() == {}


def test_concurrent_joins_occupy_a_channel_once():
    events = []
    run_concurrently([lambda name=name: events.extend(say(name, took("news")).events) for name in "abcd"])
    assert events == [{"name": "channel_occupied", "channel": "news"}]
    assert presence_store().occupancy(["news"])["news"].subscriptions == 4


def test_members_of_an_expired_process_are_removed(monkeypatch):
    say("alive", took(ROOM, BAO))
    with monkeypatch.context() as patch:
        lease_of(0.5, patch)
        say("killed", took(ROOM, CASEY), report=ProcessReport("killed", 1.0, 1, 1, 1, 0.0, 0.0))
    events, deadline = [], time.monotonic() + 10
    while presence_store().occupancy([ROOM])[ROOM].members != {"7": BAO}:
        events += say("alive").events
        assert time.monotonic() < deadline
    events += say("alive").events
    assert events == [{"name": "member_removed", "channel": ROOM, "user_id": "casey"}]
    assert presence_store().processes() == []
    assert not say("killed").had_lease


def test_process_learns_whether_it_is_known():
    assert not say("one", took("news")).had_lease
    assert say("one").had_lease
    assert presence_store().remove_process("one") == [{"name": "channel_vacated", "channel": "news"}]
    assert not say("one").had_lease


def test_processes_report_status_and_sockets_on_request():
    report = ProcessReport("one", 12.5, 3, 2, 5, 10.0, 1.5)
    assert not say("one", report=report).wants_sockets
    assert presence_store().processes() == [report]
    presence_store().request_sockets()
    assert say("one", report=report).wants_sockets
    socket = SocketReport("one", "1.2", "casey", "192.0.2.7", 99.0, ["news"])
    say("one", report=report, sockets=[socket])
    assert presence_store().sockets() == [socket]


def test_unreachable_store_raises_unavailable(redis_server):
    assert presence_store().occupied() == {}
    redis_server.kill()
    if settings.REALTIME["REDIS_URL"]:
        with pytest.raises(ServiceUnavailable):
            presence_store().occupied()
    else:
        assert presence_store().occupied() == {}
