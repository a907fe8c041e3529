"""The Pusher HTTP API: validation, signatures, replay protection and responses."""

import json
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from django.conf import settings as configured
from django.test import Client, RequestFactory

from realtime import channels, limits
from realtime.broadcasting import cached_events, ephemeral, expiring_values
from realtime.channels import Audience
from realtime.channels import patterns as patterns_module
from realtime.http import pusher_requests
from realtime.presence.database_store import DatabasePresenceStore
from realtime.presence.store import Occupancy
from realtime.protocol import http_signatures
from realtime.utils.circuit_breaker import ServiceUnavailable

pytestmark = pytest.mark.django_db
ROOM, LOBBY, TICKET = "presence-room.1", "room.1", "private-room.1"
SECRET = configured.REALTIME["APP_SECRETS"][0]


@dataclass
class Server:
    """Stands in for the socket server: occupied channels, and what was broadcast."""

    occupied: dict = field(default_factory=dict)
    published: list = field(default_factory=list)
    disconnected: list = field(default_factory=list)
    cached: dict = field(default_factory=dict)
    seen: set = field(default_factory=set)

    def add(self, key, *, seconds):
        # A timestamp is valid for ten minutes before and after it.
        assert seconds >= 1200
        first = key not in self.seen
        self.seen.add(key)
        return first


@pytest.fixture(autouse=True)
def server(monkeypatch):
    """Channels of every type, and a record of what is broadcast."""
    server = Server()
    types = ("", "private-", "presence-", "cache-", "presence-cache-", "private-encrypted-")
    patterns = tuple(
        channels.ChannelPattern(kind, "room.<int:number>", lambda *_, **__: Audience.PUBLIC) for kind in types
    )
    monkeypatch.setattr(patterns_module, "channel_patterns", lambda: patterns)
    monkeypatch.setattr(
        ephemeral,
        "broadcast_now",
        lambda names, event, data, *, except_socket="": server.published.append((names, event, data, except_socket)),
    )
    monkeypatch.setattr(ephemeral, "disconnect", lambda *, users=(), sockets=(): server.disconnected.extend(users))
    monkeypatch.setattr(
        DatabasePresenceStore,
        "occupied",
        staticmethod(lambda prefix="": {n: o for n, o in server.occupied.items() if n.startswith(prefix)}),
    )
    monkeypatch.setattr(
        DatabasePresenceStore,
        "occupancy",
        staticmethod(lambda names: {n: server.occupied.get(n) or Occupancy(0, {}) for n in names}),
    )
    monkeypatch.setattr(expiring_values, "expiring_values", lambda: server)
    monkeypatch.setattr(cached_events, "get", lambda name, audience: server.cached.get((name, audience)))
    return server


class Program:
    """Signs and sends requests; `sign` changes signed parameters, `send` changes them after signing."""

    def __init__(self, client, secret=SECRET):
        self.client, self.secret, self.now = client, secret, int(time.time())

    def request(self, method, path, body=b"", query=(), sign=(), send=()):
        # Each request has its own second, also where replays are refused.
        self.now += 1
        signed = {"auth_key": "tikm", "auth_timestamp": str(self.now), "auth_version": "1.0", **dict(query)}
        if body:
            signed["body_md5"] = http_signatures.body_md5(body)
        signed |= dict(sign)
        signed["auth_signature"] = http_signatures.signature(self.secret, method, path, signed)
        signed |= dict(send)
        ask = getattr(self.client, method.lower())
        if method == "POST":
            return ask(path, body, content_type="application/json", query_params=signed)
        return ask(path, signed)

    def get(self, path, **query):
        return self.request("GET", f"/apps/1/{path}", query=query)

    def post(self, path, value, **more):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", f"/apps/1/{path}", body, **more)

    def trigger(self, **fields):
        return self.post("events", {"name": "news", "data": "{}", "channels": [TICKET], **fields})


@pytest.fixture
def program(client):
    return Program(client)


def refused(response, status, reason):
    """Check that the response has this status and a sentence with this reason."""
    assert response.status_code == status, response.text
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert reason in response.text, response.text
    return True


def test_event_is_published_unchanged(program, server):
    data = '{ "b" : 1.0,"a":"ü\\u00fc" }'
    response = program.trigger(channels=[TICKET, LOBBY, TICKET], data=data, socket_id="12.34")
    assert (response.status_code, response.json()) == (200, {})
    assert server.published == [([TICKET, LOBBY], "news", data, "12.34")]
    assert "no-store" in response["Cache-Control"]


def test_single_channel_and_null_fields_are_accepted(program, server):
    assert program.trigger(channels=None, channel=LOBBY, socket_id=None, info=None).json() == {}
    assert server.published == [([LOBBY], "news", "{}", "")]


def test_event_for_user_is_published_on_user_channel(program, server):
    assert program.trigger(channels=["#server-to-user-7"]).status_code == 200
    assert server.published == [(["#server-to-user-7"], "news", "{}", "")]
    for name in ("#server-to-user-", "#server-to-user-a\n", "#recheck", "#server-to-user-" + "7" * 129):
        assert refused(program.trigger(channels=[name]), 400, "matches no channel pattern of this app")
    assert len(server.published) == 1


def test_trigger_returns_requested_channel_info(program, server):
    server.occupied = {ROOM: Occupancy(3, {"7": {}, "9": {}}), LOBBY: Occupancy(2, {})}
    answer = program.trigger(channels=[ROOM, LOBBY, TICKET], info="user_count,subscription_count").json()
    assert answer == {
        "channels": {
            ROOM: {"user_count": 2, "subscription_count": 3},
            LOBBY: {"subscription_count": 2},
            TICKET: {"subscription_count": 0},
        }
    }
    batch = [
        {"name": "a", "data": "", "channel": ROOM, "info": "user_count"},
        {"name": "b", "data": "", "channel": LOBBY},
    ]
    assert program.post("batch_events", {"batch": batch}).json() == {"batch": [{"user_count": 2}, {}]}


def test_batch_is_published_in_order(program, server):
    batch = [
        {"name": "first", "channel": TICKET, "data": "1", "socket_id": "1.2"},
        {"name": "second", "channel": LOBBY, "data": "2"},
    ]
    assert program.post("batch_events", {"batch": batch}).json() == {}
    assert server.published == [([TICKET], "first", "1", "1.2"), ([LOBBY], "second", "2", "")]


def test_batch_with_invalid_event_publishes_nothing(program, server):
    right = {"name": "news", "channel": TICKET, "data": "1"}
    for wrong, status in ((right | {"name": ""}, 400), (right | {"data": "x" * 10241}, 413), ("news", 400)):
        assert refused(program.post("batch_events", {"batch": [right, wrong]}), status, "Event 2 of the batch: ")
    assert not server.published
    assert program.post("batch_events", {"batch": [right]}).status_code == 200
    assert len(server.published) == 1


@pytest.mark.parametrize("batch", [None, [], {}, "news", [{"name": "news", "channel": TICKET, "data": ""}] * 11])
def test_batch_must_have_one_to_ten_events(program, server, batch):
    assert refused(program.post("batch_events", {"batch": batch}), 400, "`batch` must be a list of 1 to 10 events.")
    assert program.post("batch_events", {"batch": [{"name": "n", "channel": TICKET, "data": ""}] * 10}).json() == {}
    assert len(server.published) == 10


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"name": None}, 400, "`name` must be a string"),
        ({"name": ""}, 400, "`name` must be a string"),
        ({"name": "n" * 201}, 400, "`name` must be a string of 1 to 200"),
        ({"name": ["news"]}, 400, "`name` must be a string"),
        ({"name": "pusher:error"}, 400, "the protocol uses them"),
        ({"name": "pusher_internal:member_added"}, 400, "the protocol uses them"),
        ({"name": "client-typing"}, 400, "the protocol uses them"),
        ({"name": "ticket.updated"}, 403, "only this server publishes it"),
        ({"data": None}, 400, "`data` must be a string; JSON-encode other values."),
        ({"data": {"a": 1}}, 400, "`data` must be a string; JSON-encode other values."),
        ({"data": "é" * 5121}, 413, "at most 10240 bytes"),
        ({"channels": []}, 400, "1 to 100 names"),
        ({"channels": {}}, 400, "1 to 100 names"),
        ({"channels": TICKET}, 400, "1 to 100 names"),
        ({"channels": [f"room.{n}" for n in range(101)]}, 400, "1 to 100 names"),
        ({"channels": [TICKET, 7]}, 400, "A channel name must be a string."),
        ({"channels": None}, 400, "A channel name must be a string."),
        ({"channels": [LOBBY, "private-rom.1"]}, 400, "'private-rom.1' matches no channel pattern of this app"),
        ({"channels": ["private-room.1\n"]}, 400, "matches no channel pattern of this app"),
        ({"channels": ["x" * 5000]}, 400, "matches no channel pattern of this app"),
        ({"channels": ["private-encrypted-room.1", LOBBY]}, 400, "must have no other channel"),
        ({"socket_id": "1"}, 400, "`socket_id` must be two numbers"),
        ({"socket_id": 1.2}, 400, "`socket_id` must be two numbers"),
        ({"info": "user_count,everything"}, 400, "got 'everything'"),
        ({"info": ["user_count"]}, 400, "`info` must be a string"),
        ({"info": "cache"}, 400, "got 'cache'"),
    ],
)
def test_invalid_field_is_named_and_nothing_is_published(program, server, change, status, reason):
    assert refused(program.trigger(**change), status, reason)
    assert not server.published
    assert program.trigger(data="é" * 5120, name="n" * 200).status_code == 200
    assert len(server.published) == 1


def test_event_may_have_100_channels_or_one_encrypted_channel(program, server):
    assert program.trigger(channels=[f"room.{number}" for number in range(100)]).status_code == 200
    assert program.trigger(channels=["private-encrypted-room.1"]).status_code == 200
    assert [len(names) for names, *_ in server.published] == [100, 1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"news"',
        b"null",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        '{"name": "x"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"[" * 500_000,
        b'{"a":' * 200_000,
        b'{"a":' + b"9" * 100_000 + b"}",
        b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda body: repr(body[:16]),
)
def test_body_must_be_json_object(program, server, body):
    assert refused(program.post("events", body), 400, "The body must be a JSON object in UTF-8.")
    assert not server.published
    assert program.trigger().status_code == 200


def test_large_body_is_not_read_beyond_the_limit(program, monkeypatch):
    assert refused(program.post("events", b"x" * (limits.MAX_REQUEST_SIZE + 1)), 413, "The body must have at most")
    read = []
    request = RequestFactory().post("/apps/1/events", b"x" * 5_000_000, content_type="application/json")
    whole = request.read
    monkeypatch.setattr(request, "read", lambda *size: read.append(whole(*size)) or read[-1])
    with pytest.raises(pusher_requests.ApiError):
        pusher_requests.read_body(request)
    assert [len(part) for part in read] == [limits.MAX_REQUEST_SIZE + 1]


def test_largest_batch_fits_request_limit(program, server):
    # Every character of the data written as an escape of six.
    data = "".join("\\u0001" for _ in range(limits.MAX_EVENT_SIZE))
    event = f'{{"name":"{"n" * 200}","channel":"{TICKET}","data":"{data}"}}'
    body = f'{{"batch":[{",".join([event] * 10)}]}}'.encode()
    assert program.post("batch_events", body).status_code == 200
    assert len(server.published) == 10


# -- Authentication


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"send": {"auth_signature": "0" * 64}}, "auth_signature"),
        ({"send": {"auth_timestamp": "1"}}, "auth_timestamp"),
        ({"send": {"info": "user_count"}}, "auth_signature"),
        ({"sign": {"auth_timestamp": str(int(time.time()) - 3600)}}, "more than 600 seconds off"),
        ({"sign": {"auth_timestamp": str(int(time.time()) + 3600)}}, "more than 600 seconds off"),
        ({"sign": {"auth_key": "another"}}, "auth_key"),
        ({"sign": {"body_md5": "d41d8cd98f00b204e9800998ecf8427e"}}, "body_md5"),
    ],
)
def test_request_with_invalid_signature_is_refused(program, server, change, reason):
    body = json.dumps({"name": "news", "data": "", "channels": [TICKET]}).encode()
    assert refused(program.request("POST", "/apps/1/events", body, **change), 401, reason)
    assert not server.published
    assert program.request("POST", "/apps/1/events", body).status_code == 200


def test_both_configured_secrets_are_accepted_and_no_other(client, settings, server):
    assert refused(Program(client, "guessed").trigger(), 401, "auth_signature")
    settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": ["new", SECRET]}
    assert Program(client, "new").trigger().status_code == 200
    assert Program(client).trigger().status_code == 200
    assert len(server.published) == 2


def test_session_does_not_authenticate_api_requests(client, server, django_user_model):
    client.force_login(django_user_model.objects.create_user("ada@example.com", name="Ada", role="admin"))
    body = json.dumps({"name": "news", "data": "", "channels": [TICKET]})
    assert refused(client.post("/apps/1/events", body, content_type="application/json"), 401, "auth_version")
    assert not server.published


def test_csrf_token_is_not_required(server):
    assert Program(Client(enforce_csrf_checks=True)).trigger().status_code == 200
    assert len(server.published) == 1


def test_post_is_accepted_once_and_get_repeatedly(program, server, settings):
    settings.REALTIME = {**settings.REALTIME, "REFUSE_REPLAYS": True}
    body = json.dumps({"name": "news", "data": "", "channels": [TICKET]}).encode()
    once = {"auth_timestamp": str(program.now)}
    assert program.request("POST", "/apps/1/events", body, sign=once).status_code == 200
    assert refused(program.request("POST", "/apps/1/events", body, sign=once), 401, "was accepted before")
    assert len(server.published) == 1
    for _ in range(2):
        assert program.request("GET", "/apps/1/channels", sign=once).status_code == 200
    assert program.request("POST", "/apps/1/events", body).status_code == 200
    assert len(server.published) == 2


def test_same_event_twice_in_a_second_is_published_twice(program, server):
    body = json.dumps({"name": "news", "data": "", "channels": [TICKET]}).encode()
    once = {"auth_timestamp": str(program.now)}
    assert [program.request("POST", "/apps/1/events", body, sign=once).status_code for _ in range(2)] == [200, 200]
    assert len(server.published) == 2


def test_signature_is_valid_for_one_path_only(program, server):
    body = json.dumps({"name": "news", "data": "", "channels": [TICKET]}).encode()
    now = {"auth_key": "tikm", "auth_timestamp": str(program.now), "auth_version": "1.0"}
    query = now | {"body_md5": http_signatures.body_md5(body)}
    query["auth_signature"] = http_signatures.signature(SECRET, "POST", "/apps/2/events", query)
    sent = {"content_type": "application/json", "query_params": query}
    assert refused(program.client.post("/apps/2/events", body, **sent), 404, "Unknown app '2'.")
    assert refused(program.client.post("/apps/1/events", body, **sent), 401, "auth_signature")
    assert not server.published


def test_repeated_query_parameter_is_refused(program, client):
    assert program.get("channels").status_code == 200
    for query in ("info=a&info=b", "auth_key=tikm&AUTH_KEY=tikm"):
        assert refused(client.get(f"/apps/1/channels?{query}"), 400, "occurs more than once")


@pytest.mark.parametrize("query", ["&".join(f"p{n}=1" for n in range(2000)), "info=%ff%fe"])
def test_long_or_undecodable_query_is_refused(client, query):
    assert refused(client.get(f"/apps/1/channels?{query}"), 400, "at most 50 parameters, in UTF-8")


def test_parameter_names_are_case_insensitive(program, server):
    server.occupied = {LOBBY: Occupancy(1, {})}
    response = program.request("GET", "/apps/1/channels", query={"Filter_By_Prefix": "room."})
    assert response.json() == {"channels": {LOBBY: {}}}


def test_requests_over_the_rate_are_refused(program, monkeypatch):
    monkeypatch.setattr(limits, "HTTP_API_RATE", limits.parse("2/minute"))
    # Who cannot sign takes nothing from those who can.
    assert [Program(program.client, "guessed").trigger().status_code for _ in range(3)] == [401] * 3
    assert [program.trigger().status_code for _ in range(2)] == [200, 200]
    response = program.trigger()
    assert refused(response, 429, "Too many requests")
    assert response["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "events"), ("get", "batch_events"), ("post", "channels"), ("delete", "channels/room.1")],
)
def test_each_url_allows_one_method(client, method, path):
    assert getattr(client, method)(f"/apps/1/{path}").status_code == 405


def test_empty_data_is_published(program, server):
    assert program.trigger(data="").status_code == 200
    (published,) = server.published
    assert "" in published


def test_unavailable_store_publishes_nothing(program, server, settings, monkeypatch):
    settings.REALTIME = {**settings.REALTIME, "REFUSE_REPLAYS": True}

    def away(*_, **__):
        raise ServiceUnavailable

    monkeypatch.setattr(expiring_values, "expiring_values", away)
    response = program.trigger()
    assert refused(response, 503, "is unavailable")
    assert response["Retry-After"] == "60"
    assert not server.published
    assert program.get("channels").status_code == 200
    monkeypatch.setattr(DatabasePresenceStore, "occupied", staticmethod(away))
    assert refused(program.get("channels"), 503, "is unavailable")
    monkeypatch.setattr(expiring_values, "expiring_values", lambda: server)
    assert program.trigger().status_code == 200


# -- Who is there


def test_occupied_channels_are_listed(program, server):
    server.occupied = {
        ROOM: Occupancy(3, {"7": {}, "9": {}}),
        TICKET: Occupancy(1, {}),
        "#server-to-user-7": Occupancy(1, {}),
    }
    assert program.get("channels").json() == {"channels": {ROOM: {}, TICKET: {}}}
    assert program.get("channels", filter_by_prefix="private-").json() == {"channels": {TICKET: {}}}
    asked = {"filter_by_prefix": "presence-", "info": "user_count"}
    assert program.get("channels", **asked).json() == {"channels": {ROOM: {"user_count": 2}}}
    assert program.get("channels", info="subscription_count").json()["channels"][TICKET] == {"subscription_count": 1}


def test_user_count_requires_presence_channel(program):
    for query in ({"info": "user_count"}, {"info": "user_count", "filter_by_prefix": "room."}):
        assert refused(program.get("channels", **query), 400, "set `filter_by_prefix` to presence-")
    assert refused(program.get(f"channels/{LOBBY}", info="user_count"), 400, "Only presence channels have users")
    assert refused(program.get(f"channels/{LOBBY}/users"), 400, "Only presence channels have users")
    assert refused(program.get("channels", info="cache"), 400, "got 'cache'")


def test_channel_info_is_returned(program, server):
    server.occupied = {ROOM: Occupancy(3, {"7": {}, "9": {}})}
    asked = {"info": "user_count,subscription_count"}
    assert program.get(f"channels/{ROOM}").json() == {"occupied": True}
    assert program.get(f"channels/{ROOM}", **asked).json() == {
        "occupied": True,
        "user_count": 2,
        "subscription_count": 3,
    }
    assert program.get(f"channels/{LOBBY}").json() == {"occupied": False}
    assert program.get(f"channels/{LOBBY}", info="subscription_count").json() == {
        "occupied": False,
        "subscription_count": 0,
    }
    for path in ("channels/rom.1", "channels/rom.1/users"):
        assert refused(program.get(path), 400, "'rom.1' matches no channel pattern of this app")


def test_presence_members_are_listed(program, server):
    server.occupied = {ROOM: Occupancy(3, {"7": {"name": "Ada"}, "9": {"name": "Bao"}})}
    assert program.get(f"channels/{ROOM}/users").json() == {"users": [{"id": "7"}, {"id": "9"}]}
    assert program.get("channels/presence-room.2/users").json() == {"users": []}


def test_cache_channel_returns_last_event(program, server):
    server.cached = {("cache-room.1", Audience.PUBLIC): cached_events.CachedEvent("", '{"a":1}', 1799)}
    answer = program.get("channels/cache-room.1", info="cache").json()
    assert answer == {"occupied": False, "cache": {"data": '{"a":1}', "ttl": 1799}}
    assert program.get("channels/cache-room.2", info="cache").json()["cache"] is None
    assert refused(program.get(f"channels/{LOBBY}", info="cache"), 400, "Only cache channels")


def test_both_urls_terminate_a_users_connections(program, server):
    assert program.post("users/7/terminate_connections", {}).json() == {}
    # As Pusher's Python library does, which names no app.
    assert program.request("POST", "/users/8/terminate_connections", b"{}").json() == {}
    assert server.disconnected == ["7", "8"]
    assert refused(program.request("POST", f"/users/{'7' * 129}/terminate_connections", b"{}"), 400, "A user id")
    wrong = {"sign": {"auth_key": "another"}}
    assert refused(program.request("POST", "/users/9/terminate_connections", b"{}", **wrong), 401, "auth_key")
    assert server.disconnected == ["7", "8"]


def test_reverb_urls_are_available(program, client, monkeypatch):
    assert client.get("/up").json() == {"health": "OK"}
    monkeypatch.setattr(
        DatabasePresenceStore,
        "processes",
        staticmethod(lambda: [SimpleNamespace(sockets=2), SimpleNamespace(sockets=3)]),
    )
    assert program.get("connections").json() == {"connections": 5}
    assert refused(client.get("/apps/1/connections"), 401, "auth_version")
