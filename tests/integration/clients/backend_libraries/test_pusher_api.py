"""Pusher's server libraries from PyPI and npm publish events, and query channels and members."""

import pytest
from django.conf import settings

from tests.integration.clients.backend_libraries.libraries import (
    NodeBackend,
    PythonBackend,
    RequestRefused,
    send_twice,
)
from tests.support.servers.instances import wait_until

SECRET = settings.REALTIME["APP_SECRETS"][0]
BACKENDS = {"python": PythonBackend, "node": NodeBackend}


@pytest.fixture
def begin():
    """Start server libraries that are stopped after the test."""
    begun = []

    def begin(kind, server, secret=SECRET):
        begun.append(BACKENDS[kind](server.port, secret))
        return begun[-1]

    yield begin
    for backend in begun:
        backend.end()


@pytest.fixture(params=BACKENDS)
def backend(begin, request, daphne):
    return begin(request.param, daphne)


@pytest.fixture
def join(desk, start, daphne):
    """Connect a user's pusher-js and subscribe it to channels."""

    def join(name, *channels):
        member = start("signed_member.js", port=daphne.port, secret=SECRET, user=desk.ids[name])
        member.socket_id = member.sees("state", state="connected")["socket"]
        for channel in channels:
            member.do("subscribe", channel=channel)
            member.sees("subscribed", channel=channel)
        return member

    return join


@pytest.fixture
def sign_in(join, desk):
    """Connect a user's pusher-js and sign in."""

    def sign_in(name):
        member = join(name)
        member.do("signin")
        own = f"#server-to-user-{desk.ids[name]}"
        member.sees("frame", event="pusher_internal:subscription_succeeded", channel=own)
        return member

    return sign_in


def receive(member, event):
    """Return the data of the next event that is not the protocol's own; it must have this name."""
    while True:
        frame = member.sees("frame")
        if not frame["event"].startswith("pusher"):
            assert frame["event"] == event
            return frame["data"]


def test_event_skips_the_excluded_socket(backend, desk, join):
    channel = f"private-{desk.channel}"
    casey, bao = join("casey", channel), join("bao", channel)
    assert backend.trigger([channel], "parcel.arrived", {"at": "the dé\u2028sk"}, casey.socket_id) == {}
    assert backend.trigger(channel, "parcel.opened", "a text, not JSON") == {}
    assert receive(bao, "parcel.arrived") == {"at": "the dé\u2028sk"}
    assert receive(bao, "parcel.opened") == receive(casey, "parcel.opened") == "a text, not JSON"


def test_event_reaches_several_channels_and_batch_keeps_order(backend, desk, join):
    ticket, own = f"private-{desk.channel}", f"private-user.{desk.ids['casey']}"
    casey, bao = join("casey", own), join("bao", ticket)
    assert backend.trigger([ticket, own], "parcel.sent", {}) == {}
    batch = [{"channel": name, "name": f"parcel.{what}", "data": what} for name in (own, ticket) for what in "ab"]
    assert backend.batch(*batch) == {}
    for person in (casey, bao):
        assert [receive(person, f"parcel.{what}") for what in ("sent", "a", "b")] == [{}, "a", "b"]


def test_occupied_channels_and_members_are_listed(backend, fresh_desk, join):
    presence, ticket = f"presence-{fresh_desk.channel}", f"private-{fresh_desk.channel}"
    join("bao", presence)
    join("bao", presence)
    join("casey", ticket)

    expected = {"occupied": True, "user_count": 1, "subscription_count": 2}

    def are_there():
        seen = backend.channel(presence, "user_count", "subscription_count")
        return seen == expected and backend.channel(ticket)["occupied"]

    # Presence reaches the store with the next sync; members of earlier tests have just left.
    wait_until(are_there, timeout=60, message="Bao is not there, or not alone, or Casey is not.")
    assert backend.channels(presence, "user_count") == {"channels": {presence: {"user_count": 1}}}
    assert ticket in backend.channels("private-")["channels"]
    assert backend.users(presence) == {"users": [{"id": fresh_desk.ids["bao"]}]}
    with pytest.raises(RequestRefused) as refusal:
        backend.users(ticket)
    assert refusal.value.args == (400, "Only presence channels have users.")


def test_event_for_user_reaches_their_sockets(backend, desk, sign_in):
    casey, greta = sign_in("casey"), sign_in("greta")
    assert backend.send_to_user(desk.ids["casey"], "parcel.yours", {"n": 1}) == {}
    for person in ("casey", "greta"):
        assert backend.send_to_user(desk.ids[person], "parcel.last", {}) == {}
    assert receive(casey, "parcel.yours") == {"n": 1}
    assert receive(casey, "parcel.last") == receive(greta, "parcel.last") == {}


def test_terminating_a_user_spares_others(backend, desk, sign_in):
    casey, greta = sign_in("casey"), sign_in("greta")
    assert backend.terminate(desk.ids["casey"]) == {}
    casey.sees("state", state="disconnected")
    assert casey.saw("error", code=4009)
    assert backend.send_to_user(desk.ids["greta"], "parcel.here", {}) == {}
    assert receive(greta, "parcel.here") == {}


def test_any_process_handles_the_request(begin, desk, sign_in, uvicorn):
    casey, greta = sign_in("casey"), sign_in("greta")  # at daphne
    elsewhere = begin("python", uvicorn)
    for person in ("casey", "greta"):
        elsewhere.send_to_user(desk.ids[person], "parcel.moved", {"n": 1})
    assert receive(casey, "parcel.moved") == receive(greta, "parcel.moved") == {"n": 1}
    elsewhere.terminate(desk.ids["casey"])
    casey.sees("state", state="disconnected")
    elsewhere.send_to_user(desk.ids["greta"], "parcel.stays", {})
    assert receive(greta, "parcel.stays") == {}


def test_refusal_has_a_sentence(backend, desk):
    ticket = f"private-{desk.channel}"
    mistakes = [
        (("private-parcels.1", "parcel.sent"), 400, "'private-parcels.1' matches no channel pattern of this app"),
        ((ticket, "pusher:error"), 400, "the protocol uses them"),
        ((ticket, "ticket.updated"), 403, "only this server publishes it"),
    ]
    for (channel, event), status, sentence in mistakes:
        with pytest.raises(RequestRefused) as refusal:
            backend.trigger(channel, event, {})
        assert refusal.value.args[0] == status
        assert sentence in refusal.value.args[1]
    assert backend.trigger(ticket, "parcel.right", {}) == {}


@pytest.mark.parametrize("kind", BACKENDS)
def test_wrong_secret_is_refused(kind, begin, desk, daphne):
    guessing = begin(kind, daphne, "guessed")
    with pytest.raises(RequestRefused) as refusal:
        guessing.trigger(f"private-{desk.channel}", "parcel.sent", {})
    assert refusal.value.args[0] == 401


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_same_event_twice_in_a_second_is_accepted(server, begin, desk, request):
    backend = begin("python", request.getfixturevalue(server))
    # Both requests have the same signature; REFUSE_REPLAYS would refuse the second one.
    assert send_twice(backend, f"private-{desk.channel}", f"parcel.at.{server}", {}) == [200, 200]
