"""Test that sessions and authorizations are cached for seconds, and not beyond a revocation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from accounts.models import User
from realtime import consumers
from realtime.channels import Audience, authorization
from realtime.channels.authentication import Credentials
from realtime.channels.authorization import Authorization
from realtime.server import hub, session_cache
from realtime.server.session_cache import MAX_AGE, SessionCache
from tests.support.cast import Cast
from tests.support.clients.signed_clients import REFUSED, SUCCEEDED
from tests.support.sockets import SocketClient, connect, do, session_cookie, settle, subscribe
from tickets import services
from tickets.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)

BAO, CHANNEL = Credentials(session_key="bao"), "private-tickets.1"
STAFF = Authorization(Audience.STAFF)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands until a test puts it forward."""
    now = [1000.0]
    monkeypatch.setattr(session_cache.time, "monotonic", lambda: now[0])
    return now


def knowing(*, end: datetime | None = None, can_trust: Callable[[], bool] = lambda: True) -> SessionCache:
    """Return a session cache with Bao, authorized for a ticket."""
    found = SessionCache(can_trust)
    found.put(0, BAO, User(email="bao@example.com"), end)
    found.put_authorizations(0, BAO, {CHANNEL: STAFF})
    return found


def test_session_is_cached_for_a_fixed_time(clock: list[float]) -> None:
    known = knowing()
    for _ in range(int(MAX_AGE)):
        assert known.get(BAO) is not None
        clock[0] += 1
    clock[0] += 1
    assert known.get(BAO) is None


def test_session_is_not_cached_after_its_expiry() -> None:
    now, soon = datetime.now(UTC), timedelta(minutes=1)
    assert knowing(end=now + soon).get(BAO) is not None
    assert knowing(end=now - soon).get(BAO) is None


def test_nothing_is_cached_while_revocations_cannot_arrive() -> None:
    is_current = [True]
    known = knowing(can_trust=lambda: is_current[0])
    assert known.get(BAO) is not None
    is_current.clear()
    is_current.append(False)
    assert known.get(BAO) is None


def test_value_read_before_an_invalidation_is_not_cached() -> None:
    known = knowing()
    known.invalidate(users=(), channels=(CHANNEL,))
    known.put_authorizations(0, BAO, {CHANNEL: STAFF})
    recalled = known.get(BAO)
    assert recalled is not None
    assert recalled.authorizations == {}
    known.put_authorizations(1, BAO, {CHANNEL: STAFF})
    assert recalled.authorizations == {CHANNEL: STAFF}


def test_sign_in_on_one_socket_does_not_authorize_another() -> None:
    known, own = knowing(), "#server-to-user-1"
    known.put_authorizations(0, BAO, {own: Authorization(Audience.PUBLIC), "private-user.1": STAFF})
    recalled = known.get(BAO)
    assert recalled is not None
    assert recalled.authorizations.keys() == {CHANNEL, "private-user.1"}


def test_session_without_a_user_is_removed_from_the_cache() -> None:
    known = knowing()
    known.put(0, BAO, None, None)
    assert known.get(BAO) is None


async def test_session_check_of_an_idle_socket_caches_nothing(live_cast: Cast) -> None:
    bao, here = await subscribe(live_cast.bao, live_cast.ticket.channel), hub.here()
    (socket,) = here.sockets
    for channels, remembered in ((set[str](), 0), ({live_cast.ticket.channel}, 1)):
        here.session_cache.remove_old(float("inf"))
        socket.reauthorize(channels, whole_user=False)
        await settle()
        assert len(here.session_cache._sessions) == remembered
    await bao.close()


def test_expired_entries_are_removed(clock: list[float]) -> None:
    known = knowing()
    known.remove_old(clock[0] + MAX_AGE)
    assert known._sessions
    known.remove_old(clock[0] + MAX_AGE + 1)
    assert not known._sessions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The channels whose rules are asked together, each time."""
    ask, channels = authorization.authorize_channels, list[set[str]]()

    def note_and_ask(who: Any, names: set[str], **more: Any) -> Any:
        channels.append(set(names))
        return ask(who, names, **more)

    monkeypatch.setattr(consumers, "authorize_channels", note_and_ask)
    return channels


async def opens(cookie: str) -> SocketClient:
    """Open the socket of the user's next page."""
    return await connect(cookie=cookie)


async def may_subscribe(listener: SocketClient, channel: str) -> bool:
    """Subscribe; return whether that succeeded."""
    answer = await listener.subscribe(channel)
    assert answer["event"] in (SUCCEEDED, REFUSED)
    return bool(answer["event"] == SUCCEEDED)


async def test_next_page_uses_cached_authorizations(live_cast: Cast, asked: list[set[str]]) -> None:
    cookie = await sync_to_async(session_cookie)(live_cast.bao)
    for _ in range(2):
        assert await may_subscribe(await opens(cookie), live_cast.ticket.channel)
    assert asked == [{live_cast.ticket.channel}]


async def test_agent_who_left_the_office_is_refused_on_the_next_page(live_cast: Cast) -> None:
    bao, dana = [await sync_to_async(session_cookie)(person) for person in (live_cast.bao, live_cast.dana)]
    for cookie in (bao, dana):
        assert await may_subscribe(await opens(cookie), live_cast.ticket.channel)
    await do(live_cast.billing.agents.remove, live_cast.bao)
    await hub.here().log_tailer.read()
    assert not await may_subscribe(await opens(bao), live_cast.ticket.channel)
    assert await may_subscribe(await opens(dana), live_cast.ticket.channel)


async def test_agent_of_another_office_is_refused_on_the_next_page(live_cast: Cast) -> None:
    cookie = await sync_to_async(session_cookie)(live_cast.bao)
    assert await may_subscribe(await opens(cookie), live_cast.ticket.channel)
    await do(services.update_ticket, live_cast.ticket, by=live_cast.ada, values={"office": live_cast.orders})
    await hub.here().log_tailer.read()
    assert not await may_subscribe(await opens(cookie), live_cast.ticket.channel)


async def test_signed_out_session_is_anonymous_on_the_next_socket(live_cast: Cast) -> None:
    cookie = await sync_to_async(session_cookie)(live_cast.bao)
    assert await may_subscribe(await opens(cookie), live_cast.bao.channel)
    await do(lambda: Session.objects.get(pk=cookie.removeprefix("sessionid=")).delete())
    await hub.here().log_tailer.read()
    assert not await may_subscribe(await opens(cookie), live_cast.bao.channel)


async def test_refusal_is_not_cached(live_cast: Cast) -> None:
    cookie = await sync_to_async(session_cookie)(live_cast.emil)
    assert not await may_subscribe(await opens(cookie), live_cast.ticket.channel)

    await do(Ticket.objects.update, assigned_to=live_cast.emil)  # without an event
    assert await may_subscribe(await opens(cookie), live_cast.ticket.channel)
