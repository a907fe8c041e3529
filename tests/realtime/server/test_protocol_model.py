"""Whatever several clients send in whatever order, each frame has the answer that a model of the protocol gives.

`FUZZ_EXAMPLES=500 pytest tests/realtime/server/test_protocol_model.py` plays longer, and never the same.
"""

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import channel_layers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from realtime import limits, protocol
from realtime.broadcasting.channel_layer import PROCESS_GROUPS
from realtime.broadcasting.publish import publish
from realtime.presence import tracker
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.clients.signed_clients import REFUSED, SECRET, SUCCEEDED, send, signed_text, signed_user
from tests.support.sockets import Barrier, SocketClient, do, open_socket, session_cookie, settle

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
PLAYED = settings(
    max_examples=EXAMPLES or 12,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

ERROR, SIGNED_IN, PONG, CLOSED = "pusher:error", "pusher:signin_success", "pusher:pong", "closed"
ANSWERS = {SUCCEEDED, REFUSED, ERROR, SIGNED_IN, CLOSED}
PLAYERS = ("bao", "casey", "greta", None)  # None: an anonymous client
STAFF, PUBLIC = "staff", "public"

# -- What may be sent

OPEN = ["news", "talk.a", "cache-weather"]
GUESTS = ["private-room.a", "private-encrypted-vault", "presence-room.a"]
DESK = ["ticket", "presence of ticket", "office", "presence of office", "private-user.casey"]
PERSONAL = ["#server-to-user-casey", "#server-to-user-zed", "#server-to-user-bao", "#server-to-user-"]
UNKNOWN = ["unknown", "private-news", "cache-news", "presence-talk.a", "private-cache-room.a", "private-tickets.1"]
UNNAMEABLE = [
    "",
    "#presence",
    "#recheck",
    "a b",
    "news\n",
    "\u00e9",
    "x" * 165,
    7,
    None,
    True,
    ["news"],
    {"a": "news"},
]
NAMES = [*OPEN, "lobby", *GUESTS, "private-cache-forecast", *DESK, *PERSONAL, *UNKNOWN]
PEOPLE = ["casey", "bao", "hiro", "zed", "yan"]  # the last two have no account here
ODD = [7, True, [], {}, [[]], {"a": 1}, "", "\x00", "NaN"]

names = st.sampled_from(NAMES) | st.sampled_from([*GUESTS, "ticket"]) | st.sampled_from(UNNAMEABLE)
auths = st.sampled_from(["none", "none", "good", "good", "stale", "of another channel", "wrong", "odd"])
payloads = st.sampled_from([None, None, *PEOPLE, "odd id", "no object"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
whispered = st.sampled_from(["client-wave", "client-typing", "client-viewing", "client-", "client-" + "x" * 200])
likely = st.sampled_from([*GUESTS, "ticket", "presence of ticket", "lobby", "news"])
moves = st.one_of(
    st.tuples(st.just("subscribe"), names, auths, payloads),
    st.tuples(
        st.just("subscribe"), likely, st.sampled_from(["none", "good"]), st.sampled_from([None, "zed", "casey"])
    ),
    st.tuples(st.just("subscribe"), st.sampled_from(PERSONAL), st.just("none"), st.none()),
    st.tuples(st.just("unsubscribe"), likely),
    st.tuples(st.just("unsubscribe"), names),
    st.tuples(st.just("sign in"), st.just("good"), st.sampled_from(["zed", "casey"])),
    st.tuples(st.just("sign in"), st.sampled_from(["good", "good", "stale", "wrong", "odd"]), payloads.filter(bool)),
    st.tuples(st.just("whisper"), whispered, names),
    st.tuples(st.just("whisper"), st.just("client-wave"), st.sampled_from(["private-room.a", "presence-room.a"])),
    st.tuples(st.just("ping"), anything),
    st.tuples(st.just("pong"), anything),
    st.tuples(st.just("garbage"), st.text(max_size=20) | anything.map(json.dumps)),
    st.tuples(st.just("unknown event"), st.text(max_size=12), anything),
    st.tuples(st.just("reply"), st.booleans()),
    st.tuples(st.just("reopen")),
)
plays = st.lists(st.tuples(st.integers(0, len(PLAYERS) - 1), moves), min_size=20, max_size=60)
# One game that is always played: everything is done once that may be done.
STORY: list[tuple[int, tuple]] = [
    (3, ("sign in", "good", "zed")),
    (3, ("subscribe", "#server-to-user-casey", "none", None)),
    (3, ("subscribe", "#server-to-user-zed", "none", None)),
    (3, ("unsubscribe", "private-room.a")),
    (3, ("subscribe", "private-room.a", "none", None)),
    (3, ("subscribe", "presence-room.a", "good", "hiro")),
    (3, ("subscribe", "presence-room.a", "good", "zed")),
    (0, ("unsubscribe", "private-room.a")),
    (1, ("subscribe", "private-room.a", "good", "zed")),
    (1, ("whisper", "client-wave", "private-room.a")),
    (1, ("whisper", "client-wave", "presence-room.a")),
    (2, ("subscribe", "ticket", "good", "bao")),
    (0, ("subscribe", "office", "none", None)),
    (0, ("subscribe", "presence of ticket", "none", None)),
    (0, ("unsubscribe", "ticket")),
    (0, ("reply", False)),
    (1, ("unsubscribe", "presence-room.a")),
    (1, ("subscribe", "cache-weather", "none", None)),
    (3, ("reopen",)),
    (3, ("subscribe", "private-room.a", "stale", None)),
    (3, ("subscribe", "lobby", "none", None)),
    (3, ("sign in", "good", "casey")),
    (3, ("subscribe", "ticket", "none", None)),
    (2, ("sign in", "good", "casey")),
]
PROLOGUE: list[tuple[int, tuple]] = [
    (0, ("subscribe", "ticket", "none", None)),
    (0, ("subscribe", "private-room.a", "none", None)),
    (1, ("subscribe", "ticket", "none", None)),
    (1, ("subscribe", "presence-room.a", "good", "casey")),
    (2, ("subscribe", "presence-room.a", "none", None)),
    (3, ("subscribe", "lobby", "none", None)),
    (3, ("subscribe", "private-room.a", "good", None)),
    (0, ("whisper", "client-wave", "private-room.a")),
    (2, ("reply", True)),
    (2, ("reply", False)),
]


# -- The model


@dataclass
class Player:
    """What one client has done so far, and so what it may receive."""

    cookie: str | None
    listener: SocketClient
    stale: SocketClient | None = None
    is_open: bool = True
    who: str | None = None
    signed_in: str | None = None
    joined: dict[str, str] = field(default_factory=dict)
    signed: dict[str, str | None] = field(default_factory=dict)
    received: list[Any] = field(default_factory=list)  # client events and replies
    expected: list[Any] = field(default_factory=list)

    @property
    def person(self) -> str | None:
        """Return the user of this site with that id."""
        return self.who if self.who in ("bao", "casey", "greta") else None

    def audience(self, name: str, signature: tuple[str | None] | None) -> str | None:
        """Return the user as which this player is subscribed; `signature` holds the signed user, if any."""
        person = self.person
        if name in OPEN or (name == "lobby" and person is None):
            return PUBLIC
        if name.startswith("#"):
            return PUBLIC if self.signed_in and name == f"#server-to-user-{self.signed_in}" else None
        if name in GUESTS and person is None:
            is_known = signature is not None and (not name.startswith("presence-") or signature[0] is not None)
            return PUBLIC if is_known else None
        if name in GUESTS or name == "private-cache-forecast":
            return PUBLIC if person else None
        audiences = {("casey", "ticket"): PUBLIC, ("casey", "private-user.casey"): STAFF}
        return STAFF if person == "bao" and name in DESK[:4] else audiences.get((person, name))

    def become(self, who: str) -> list[tuple[str, Any]]:
        """Sign in; return the errors for channels that this user may not receive."""
        self.who = who
        lost = [name for name in self.joined if self.audience(name, (None,)) is None]
        return [(REFUSED, name) for name in lost if self.leave(name)]

    def leave(self, name: str) -> bool:
        self.signed.pop(name, None)
        return self.joined.pop(name, None) is not None

    def close(self, code: int) -> list[tuple[str, Any]]:
        self.is_open = False
        self.joined.clear()
        return [(ERROR, code), (CLOSED, code)]

    def subscribe(self, name: Any, auth: str, data: str | None) -> list[tuple[str, Any]]:
        """Return the answers to a subscription."""
        if name in UNNAMEABLE or auth == "odd":
            return [(ERROR, 4200)]
        events: list[tuple[str, Any]] = []
        if auth in ("stale", "wrong", "of another channel") or (auth == "good" and data in ("odd id", "no object")):
            return [(REFUSED, name)]
        if auth == "good":
            if data and self.who is None:
                if data == "hiro":
                    return [(REFUSED, name)]
                events = [each for each in self.become(data) if each != (REFUSED, name)]
            if data and self.person is None and data != self.who:
                return [*events, (REFUSED, name)]
            self.signed[name] = data
        audience = self.audience(name, (self.signed[name],) if name in self.signed else None)
        if audience is None:
            self.leave(name)
            return [*events, (REFUSED, name)]
        self.joined[name] = audience
        return [*events, (SUCCEEDED, name)]

    def sign_in(self, auth: str, data: str) -> list[tuple[str, Any]]:
        """Return the answers to a sign-in."""
        if auth == "odd":
            return [(ERROR, 4200)]
        if auth != "good":
            return self.close(4009)
        if data in ("odd id", "no object"):
            return [(ERROR, 4200)]
        if (self.who or data) != data or data == "hiro":
            return self.close(4009)
        events = self.become(data) if self.who is None else []
        self.signed_in = data
        return [(SIGNED_IN, None), *events]

    def may_whisper(self, event: str, name: Any) -> bool:
        voices = {"ticket": ("client-typing",), "presence of ticket": ("client-viewing",)}
        if name not in self.joined:
            return False
        if name in ("private-room.a", "presence-room.a"):
            return len(event) <= 200
        return event in voices.get(name, ())


class Play:
    """A site, its players, and what they send."""

    def __init__(self, cast: Cast, cookies: dict[str, str]) -> None:
        self.cast, self.cookies = cast, cookies
        self.players: list[Player] = []
        self.whispers = 0
        self.real = {
            "ticket": cast.ticket.channel,
            "presence of ticket": cast.ticket.presence_channel,
            "office": cast.billing.channel,
            "presence of office": cast.billing.channel.replace("private-", "presence-"),
            "private-user.casey": cast.casey.channel,
            "#server-to-user-casey": f"#server-to-user-{cast.casey.pk}",
            "#server-to-user-bao": f"#server-to-user-{cast.bao.pk}",
        }
        self.called = {real: name for name, real in self.real.items()}

    def name(self, name: Any) -> Any:
        return self.real.get(name, name) if isinstance(name, str) else name

    def key(self, who: str) -> str:
        return str(getattr(self.cast, who).pk) if hasattr(self.cast, who) else who

    async def open(self, who: str | None) -> Player:
        listener = await open_socket(origin=None) if who is None else await open_socket(cookie=self.cookies[who])
        listener.socket_id = (await listener.event("pusher:connection_established"))["socket_id"]
        return Player(who, listener, who=who)

    async def received_by(self, player: Player, pongs: int = 1) -> list[dict[str, Any]]:
        """Return what comes to a player's socket for what was sent, at once and when all has settled."""
        before = len(player.listener.received)
        for awaited in (pongs, 1):
            if not await self.receive(player, awaited):
                break
            await settle()
        return player.listener.received[before:]

    async def receive(self, player: Player, pongs: int) -> bool:
        """Read frames up to the answer to a ping; return whether the socket is still open."""
        await player.listener.send("pusher:ping")
        while pongs:
            frame = await player.listener.frame()
            if frame["event"] == CLOSED:
                player.listener.received.append(frame)
                return False
            pongs -= frame["event"] == PONG
        return True

    def short(self, frames: list[dict[str, Any]]) -> Counter:
        """Return the answers among frames: event, and channel or code."""
        counts: Counter = Counter()
        for frame in frames:
            channel, data = frame.get("channel"), frame.get("data")
            about = data["code"] if frame["event"] == ERROR else frame.get("code", self.called.get(channel, channel))
            counts[frame["event"], about] += frame["event"] in ANSWERS
        return +counts

    # -- Moves

    async def make(self, number: int, move: tuple) -> None:
        player, (kind, *how) = self.players[number], move
        if kind == "reopen" or not player.is_open:
            await player.listener.close()
            self.players[number] = await self.open(player.cookie)
            self.players[number].stale = player.listener
            return
        before = set(player.joined)
        act = getattr(self, kind.replace(" ", "_"))
        expected = Counter(await act(player, *how))
        frames = await self.received_by(player, pongs=2 if kind == "ping" else 1)
        assert self.short(frames) == expected, (move, frames)
        self.check(player, frames, before | set(player.joined))

    def check(self, player: Player, frames: list[dict[str, Any]], channels: set[str]) -> None:
        """Assert that a socket received events of its own channels only, and notes only as staff."""
        for frame in frames:
            name = self.called.get(frame.get("channel", ""), frame.get("channel"))
            if name and frame["event"] != REFUSED:
                assert name in channels, frame
            if frame["event"].startswith("ticket."):
                assert player.person == "bao" or "a note" not in json.dumps(frame), frame
            if frame["event"] == "client-wave":
                player.received.append(frame["data"])
            if frame["event"] == "ticket.reply.created" and name == "ticket":
                player.received.append(frame["data"]["reply"]["message"])

    def signature(self, player: Player, auth: str, channel: str, data: str) -> dict[str, Any]:
        if auth == "none":
            return {"auth": ""}
        if auth == "odd":
            return {"auth": ODD[len(channel) % 5] or 7, "channel_data": data}
        if auth == "of another channel":
            return signed_text(player.listener, "private-room.b", data)
        if auth == "stale":
            return signed_text(player.stale or SocketClient(player.listener.communicator), channel, data)
        good = signed_text(player.listener, channel, data)
        return good if auth == "good" else {**good, "auth": good["auth"][:-1] + "x"}

    async def subscribe(self, player: Player, name: Any, auth: str, who: str | None) -> list[tuple[str, Any]]:
        data = {None: "", "odd id": '{"user_id":[1]}', "no object": "[7]"}.get(who)
        if data is None:
            data = json.dumps({"user_id": self.key(str(who)), "user_info": {"name": who}})
        channel = self.name(name)
        fields = self.signature(player, auth, str(channel), data)
        await player.listener.send("pusher:subscribe", channel=channel, **fields)
        return player.subscribe(name, auth, who)

    async def unsubscribe(self, player: Player, name: Any) -> list[tuple[str, Any]]:
        await player.listener.send("pusher:unsubscribe", channel=self.name(name))
        if isinstance(name, str):
            player.leave(name)
        return []

    async def sign_in(self, player: Player, auth: str, who: str) -> list[tuple[str, Any]]:
        data = {"odd id": '{"id":7}', "no object": "[7]"}.get(who) or json.dumps({"id": self.key(who)})
        signer = (player.stale or SocketClient(player.listener.communicator)) if auth == "stale" else player.listener
        fields: dict[str, Any] = signed_user(signer, data, "wrong" if auth == "wrong" else SECRET)
        if auth == "odd":
            fields["user_data"] = {"id": "zed"}
        await player.listener.send("pusher:signin", **fields)
        return player.sign_in(auth, who)

    async def whisper(self, player: Player, event: str, name: Any) -> list[tuple[str, Any]]:
        self.whispers += 1
        text = json.dumps({"event": event, "channel": self.name(name), "data": self.whispers})
        await send(player.listener, text)
        if not isinstance(name, str | None):  # null counts as no channel
            return [(ERROR, 4200)]
        if not player.may_whisper(event, name):
            return [(ERROR, 4301)]
        if event == "client-wave":
            for other in self.players:
                if other is not player and other.is_open and name in other.joined:
                    other.expected.append(self.whispers)
        return []

    async def ping(self, player: Player, data: Any) -> list[tuple[str, Any]]:
        await send(player.listener, protocol_text({"event": "pusher:ping", "data": data}))
        return []

    async def pong(self, player: Player, data: Any) -> list[tuple[str, Any]]:
        await send(player.listener, protocol_text({"event": "pusher:pong", "data": data}))
        return []

    async def garbage(self, player: Player, text: str) -> list[tuple[str, Any]]:
        await send(player.listener, text)
        return [(ERROR, 4200)]

    async def unknown_event(self, player: Player, event: str, data: Any) -> list[tuple[str, Any]]:
        await send(player.listener, json.dumps({"event": event, "data": data}))
        return [(ERROR, 4200)]

    async def reply(self, player: Player, internal: bool) -> list[tuple[str, Any]]:
        message = "a note" if internal else "an answer"
        for each in self.players:
            if each.joined.get("ticket") == STAFF or ("ticket" in each.joined and not internal):
                each.expected.append(message)
        await do(self.cast.reply, self.cast.bao, message, internal=internal)
        return []

    # -- The end

    async def finish(self) -> None:
        """Broadcast on every channel, check the recipients, and disconnect all players."""
        channels = [name for name in NAMES if not name.startswith("#")]
        for name in channels:
            await do(publish, Barrier(self.name(name)))
        for player in self.players:
            if player.is_open:
                frames = await self.received_by(player)
                self.check(player, frames, set(player.joined))
                fences = [self.called.get(f["channel"], f["channel"]) for f in frames if f["event"] == "test.fence"]
                assert sorted(fences) == sorted(set(player.joined) & set(channels))
                assert player.received == player.expected
        for player in self.players:
            await player.listener.close()
        await self.nothing_is_left()

    async def nothing_is_left(self) -> None:
        here = hub.here()
        async with asyncio.timeout(10):
            while here.presence._entries or here.presence._channels:
                await here.presence._next_sync()
        assert not here.sockets
        assert not any(here.fan_out.groups.values())
        assert not here.presence._of_socket
        await here.resync_groups()
        assert not here.fan_out.groups.keys() - set(PROCESS_GROUPS)


def protocol_text(message: dict[str, Any]) -> str:
    """Return JSON that the server accepts: numbers outside JSON are tested as garbage."""
    try:
        return protocol.encode(message).encode() and protocol.encode(message)
    except ValueError:
        return protocol.encode({"event": message["event"]})


@pytest.fixture
def _stage(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REALTIME = {**settings.REALTIME, "CHANNELS": "tests.support.mixed_channel_patterns"}
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 0)
    monkeypatch.setattr(limits, "CLIENT_EVENT_RATE", 10_000)
    monkeypatch.setattr(limits, "MESSAGE_BURST", 10_000)


@pytest.mark.usefixtures("_stage")
def test_any_sequence_of_frames_has_the_expected_answers(live_cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    people: dict[str, User] = {name: getattr(live_cast, name) for name in PLAYERS if name}
    cookies = {name: session_cookie(person) for name, person in people.items()}

    @PLAYED
    @example(STORY)
    @example([(0, ("whisper", "client-wave", None)), (0, ("whisper", "client-wave", 7))])
    @given(plays)
    def play(steps: list[tuple[int, tuple]]) -> None:
        channel_layers.backends.clear()
        async_to_sync(perform)(Play(live_cast, cookies), steps)
        tracebacks = [record.getMessage() for record in caplog.records if record.exc_info]
        assert not tracebacks, tracebacks

    play()


async def perform(play: Play, steps: list[tuple[int, tuple]]) -> None:
    """Play it, on an event loop and with a hub of its own."""
    try:
        play.players = [await play.open(who) for who in PLAYERS]
        for number, move in [*PROLOGUE, *steps]:
            await play.make(number, move)
        await play.finish()
    finally:
        await hub.here().close()
