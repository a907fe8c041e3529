"""Test that revoked users receive nothing more, while other subscribers do."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection as django_connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from realtime import consumers, protocol
from realtime.broadcasting.channel_layer import REAUTHORIZE_GROUP
from realtime.broadcasting.messages import Reauthorize
from realtime.channels import Audience, authorization
from realtime.channels.authorization import Authorization
from realtime.consumers import PusherConsumer
from realtime.server import hub
from realtime.server.sign_in import SignIn
from tests.support.cast import Cast
from tests.support.sockets import SocketClient, connect, do, open_socket, session_cookie, subscribe
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)


def switch_off(cast: Cast) -> None:
    cast.bao.is_active = False
    cast.bao.save()


def change_password(cast: Cast) -> None:
    cast.bao.set_password("another horse")
    cast.bao.save()


def sign_out(cast: Cast) -> None:
    for session in Session.objects.all():
        if session.get_decoded()[SESSION_KEY] == str(cast.bao.pk):
            session.delete()


CLOSED = [pytest.param(switch_off, id="deactivated"), pytest.param(change_password, id="password changed")]


def leave_office(cast: Cast) -> None:
    cast.billing.agents.remove(cast.bao)


def leave_offices(cast: Cast) -> None:
    cast.bao.offices.clear()


def office_closes(cast: Cast) -> None:
    cast.billing.agents.set([cast.dana])


def become_customer(cast: Cast) -> None:
    cast.bao.role = User.Role.CUSTOMER
    cast.bao.save()


def move_ticket(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})


LOST = [leave_office, leave_offices, office_closes, become_customer, move_ticket]


@pytest.fixture(params=["layer", "tail"])
def _by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver revocations by the layer, and by the log tailer where the layer loses them."""

    async def swallow(*_: Any) -> None:
        return None

    if request.param == "tail":
        monkeypatch.setattr(InMemoryChannelLayer, "group_send", swallow)
        monkeypatch.setattr(hub, "LAYER_TIMEOUT", 0.01)


async def assert_control_receives(cast: Cast, control: SocketClient) -> None:
    """Have Casey reply, and check that the remaining subscribers receive it."""
    await do(cast.reply, cast.casey, "Anybody?")
    assert (await control.event("ticket.reply.created"))["reply"]["message"] == "Anybody?"


@pytest.mark.usefixtures("_by")
@pytest.mark.parametrize("cause", CLOSED)
async def test_unauthorized_user_is_disconnected(live_cast: Cast, cause: Callable) -> None:
    socket = await subscribe(live_cast.bao, live_cast.ticket.channel)
    control = await subscribe(live_cast.ada, live_cast.ticket.channel)
    await do(cause, live_cast)
    assert (await socket.event("pusher:error"))["code"] == 4009
    assert (await socket.frame())["code"] == 4009
    await assert_control_receives(live_cast, control)


async def test_sign_out_disconnects_that_session_alone(live_cast: Cast) -> None:
    client = Client()
    await do(client.force_login, live_cast.bao)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    socket, control = await open_socket(cookie=cookie), await subscribe(live_cast.bao, live_cast.ticket.channel)
    await socket.event("pusher:connection_established")
    await do(client.post, "/logout/")
    assert (await socket.event("pusher:error"))["code"] == 4009
    await assert_control_receives(live_cast, control)


@pytest.mark.usefixtures("_by")
@pytest.mark.parametrize("cause", LOST)
async def test_user_who_lost_a_ticket_receives_no_later_event(live_cast: Cast, cause: Callable) -> None:
    socket = await subscribe(live_cast.bao, live_cast.ticket.channel)
    assert (await socket.subscribe(live_cast.bao.channel))["event"].endswith("succeeded")
    control = await subscribe(live_cast.casey, live_cast.ticket.channel)
    await do(cause, live_cast)
    assert (await socket.event("pusher:subscription_error"))["status"] == 403
    await assert_control_receives(live_cast, control)
    assert await socket.receives_nothing(live_cast.bao.channel)
    assert (await socket.subscribe(live_cast.ticket.channel))["event"] == "pusher:subscription_error"


@pytest.mark.usefixtures("_by")
async def test_former_assignee_receives_only_the_withdrawal(live_cast: Cast) -> None:
    await do(services.update_ticket, live_cast.ticket, by=live_cast.bao, values={"assigned_to": live_cast.emil})
    socket = await subscribe(live_cast.emil, live_cast.emil.channel)
    assert (await socket.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")
    control = await subscribe(live_cast.bao, live_cast.ticket.channel)
    await do(services.update_ticket, live_cast.ticket, by=live_cast.bao, values={"assigned_to": live_cast.dana})
    withdrawn = await socket.event("ticket.withdrawn")
    assert withdrawn.keys() == {"ticket", "event_id", "timestamp"}
    await control.event("ticket.updated")
    await do(live_cast.reply, live_cast.dana, "Note", internal=True)
    await control.event("ticket.reply.created")
    await socket.receives_nothing(live_cast.emil.channel)
    assert [frame["event"] for frame in socket.received if frame["event"].startswith("ticket.")] == [
        "ticket.withdrawn"
    ]


async def test_agent_who_opened_a_moved_ticket_becomes_its_customer(live_cast: Cast) -> None:
    ticket = await do(
        services.open_ticket, by=live_cast.bao, subject="Chair", content="Broken", office=live_cast.billing
    )
    socket = await subscribe(live_cast.bao, ticket.channel)
    control = await subscribe(live_cast.ada, ticket.channel)
    await do(services.update_ticket, ticket, by=live_cast.ada, values={"office": live_cast.orders})
    assert await socket.event("pusher_internal:subscription_succeeded") == {}
    await do(services.add_reply, ticket, by=live_cast.ada, message="Note", internal=True)
    await do(services.add_reply, ticket, by=live_cast.ada, message="Answer")
    reply = (await socket.event("ticket.reply.created"))["reply"]
    assert reply["message"] == "Answer"
    assert (await control.event("ticket.reply.created"))["reply"]["message"] == "Note"


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1)], ids=["of one clock", "of clocks apart"])
async def test_lost_revocation_is_applied_before_later_events(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings, ahead: timedelta
) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    socket = await subscribe(live_cast.bao, live_cast.ticket.channel)
    control = await subscribe(live_cast.dana, live_cast.ticket.channel)
    monkeypatch.setattr(InMemoryChannelLayer, "group_send", all_but(REAUTHORIZE_GROUP))
    await do(live_cast.billing.agents.remove, live_cast.bao)
    publishers_time = timezone.now() + ahead
    monkeypatch.setattr(timezone, "now", lambda: publishers_time)
    await do(live_cast.reply, live_cast.dana, "Note", internal=True)
    assert (await control.event("ticket.reply.created"))["reply"]["message"] == "Note"
    assert (await socket.frame())["event"] == "pusher:subscription_error"


def all_but(lost: str) -> Callable:
    """Return a `group_send` that loses the messages of one group."""
    send = InMemoryChannelLayer.group_send

    async def sometimes(self: InMemoryChannelLayer, group: str, message: dict) -> None:
        if group != lost:
            await send(self, group, message)

    return sometimes


def signature(client: Client, socket_id: str, channel: str) -> dict[str, str]:
    return client.post("/broadcasting/auth", {"socket_id": socket_id, "channel_name": channel}).json()


@pytest.mark.parametrize("cause", [change_password, sign_out])
async def test_signed_subscription_ends_with_its_session(live_cast: Cast, cause: Callable) -> None:
    client, channel = Client(), live_cast.ticket.channel
    await do(client.force_login, live_cast.bao)
    socket, control = await connect(origin=None), await subscribe(live_cast.dana, channel)
    signed = await do(signature, client, socket.socket_id, channel)
    assert (await socket.subscribe(channel, **signed))["event"].endswith("succeeded")
    await do(cause, live_cast)
    assert (await socket.event("pusher:error"))["code"] == 4009
    await assert_control_receives(live_cast, control)


async def test_auth_alone_identifies_the_session(live_cast: Cast) -> None:
    client, channel = Client(), live_cast.ticket.channel
    await do(client.force_login, live_cast.bao)
    socket, other = await connect(origin=None), await connect(origin=None)
    auth = (await do(signature, client, socket.socket_id, channel))["auth"]
    for forged in (auth.rpartition(":")[0], f"{auth}=", f"{auth[:-8]}AAAA{auth[-4:]}", f"{auth}:", f"{auth}\xff"):
        assert (await socket.subscribe(channel, auth=forged))["event"] == "pusher:subscription_error"
    assert (await other.subscribe(channel, auth=auth))["event"] == "pusher:subscription_error"
    assert (await socket.subscribe(channel, auth=auth))["event"].endswith("succeeded")
    await do(sign_out, live_cast)
    assert (await socket.event("pusher:error"))["code"] == 4009


@pytest.mark.parametrize("cause", [change_password, sign_out])
async def test_signature_is_invalid_after_its_session_ends(live_cast: Cast, cause: Callable) -> None:
    client, channel = Client(), live_cast.ticket.channel
    await do(client.force_login, live_cast.bao)
    late, control = await connect(origin=None), await connect(origin=None)
    kept, used = [await do(signature, client, socket.socket_id, channel) for socket in (late, control)]
    assert (await control.subscribe(channel, **used))["event"].endswith("succeeded")
    await do(cause, live_cast)
    await late.send("pusher:subscribe", channel=channel, **kept)
    assert (await late.frame())["event"] in ("pusher:subscription_error", "pusher:error")


async def test_user_change_requires_a_new_signature_of_a_foreign_back_end(
    live_cast: Cast,
) -> None:
    socket, channel = await connect(origin=None), live_cast.ticket.channel
    data = protocol.encode({"user_id": str(live_cast.bao.pk)})
    auth = protocol.channel_auth("tikm", "tests-only-app-secret", socket.socket_id, channel, data)
    assert (await socket.subscribe(channel, auth=auth, channel_data=data))["event"].endswith("succeeded")
    await do(change_password, live_cast)
    assert (await socket.event("pusher:error"))["code"] == 4200


async def test_session_that_ended_without_an_event_is_noticed(live_cast: Cast) -> None:
    socket, control = await subscribe(live_cast.bao, live_cast.ticket.channel), await connect(live_cast.ada)
    await do(expire, live_cast.bao, timezone.now())
    for each in tuple(hub.here().sockets):
        each.sweep(time.monotonic() + 61)
    assert (await socket.event("pusher:error"))["code"] == 4009
    await control.send("pusher:ping")
    assert await control.event("pusher:pong") == {}


async def test_session_ends_at_its_expiry_unless_extended(live_cast: Cast) -> None:
    cookies = {person: await do(session_cookie, person) for person in (live_cast.bao, live_cast.dana)}
    for person in cookies:
        await do(expire, person, timezone.now() + timedelta(seconds=1))
    ends, stays = [await connect(cookie=cookie) for cookie in cookies.values()]
    assert (await stays.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")
    await do(expire, live_cast.dana, timezone.now() + timedelta(hours=1))
    assert (await ends.event("pusher:error"))["code"] == 4009
    await assert_control_receives(live_cast, stays)


def expire(user: User, at: datetime) -> None:
    keys = [each.pk for each in Session.objects.all() if each.get_decoded()[SESSION_KEY] == str(user.pk)]
    Session.objects.filter(pk__in=keys).update(expire_date=at)


async def test_authorization_from_before_a_revocation_joins_no_group(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, answers = PusherConsumer.authorize, []

    async def slowly(self: PusherConsumer, subscriptions: Any) -> dict[str, Authorization | None]:
        answers.append(await ask(self, subscriptions))
        if len(answers) == 1:
            await do(live_cast.billing.agents.remove, live_cast.bao)
            await hub.here().log_tailer.read()
        elif len(answers) == 2:
            await do(live_cast.reply, live_cast.dana, "Note", internal=True)
            await hub.here().log_tailer.read()
        return answers[-1]

    socket = await open_socket(live_cast.bao)
    await socket.event("pusher:connection_established")
    monkeypatch.setattr(PusherConsumer, "authorize", slowly)
    assert (await socket.subscribe(live_cast.ticket.channel))["event"] == "pusher:subscription_error"
    assert answers == [{live_cast.ticket.channel: now} for now in (Authorization(Audience.STAFF), None)]
    assert "ticket.reply.created" not in [frame["event"] for frame in socket.received]


async def test_revocation_during_authorization_ends_the_subscription(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, left = authorization.authorize_channels, []

    def ask_then_leave(*args: Any, **kwargs: Any) -> tuple[Any, Authorization | None]:
        answer = ask(*args, **kwargs)
        if not left:
            left.append(True)
            live_cast.billing.agents.remove(live_cast.bao)
        return answer

    monkeypatch.setattr(consumers, "authorize_channels", ask_then_leave)
    socket = await open_socket(live_cast.bao)
    answer = await socket.subscribe(live_cast.ticket.channel)
    if answer["event"].endswith("succeeded"):
        assert (await socket.event("pusher:subscription_error"))["status"] == 403
    else:
        assert answer["event"] == "pusher:subscription_error"


def demote(cast: Cast) -> None:
    """Make the admin a customer, who receives no other customer's tickets."""
    User.objects.filter(pk=cast.ada.pk).update(role=User.Role.CUSTOMER)


async def test_revocation_after_connect_reloads_the_user(live_cast: Cast) -> None:
    ada, bao = await connect(live_cast.ada), await connect(live_cast.bao)
    await do(demote, live_cast)
    await hub.here().log_tailer.read()
    assert (await ada.subscribe(live_cast.ticket.channel))["event"] == "pusher:subscription_error"
    assert (await bao.subscribe(live_cast.ticket.channel))["event"] == "pusher_internal:subscription_succeeded"


async def test_revocation_during_user_lookup_reloads_the_user(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, here = SignIn._read, hub.here()
    command = Reauthorize(users=[str(live_cast.ada.pk)])

    def read_and_lose(self: SignIn, *args: Any) -> Any:
        answer = read(self, *args)
        with django_connection.cursor() as cursor:  # its event arrives here, and once
            cursor.execute("UPDATE accounts_user SET role = 'customer' WHERE email = %s", [live_cast.ada.email])
        here.loop.call_soon_threadsafe(here._reauthorize, command)
        return answer

    monkeypatch.setattr(SignIn, "_read", read_and_lose)
    ada = await connect(live_cast.ada)
    assert (await ada.subscribe(live_cast.ticket.channel))["event"] == "pusher:subscription_error"
