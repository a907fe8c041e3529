"""`listen` prints events, reconnects as close codes ask, and explains a refusal."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from realtime import protocol
from realtime.monitoring import terminal_client
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
SUBSCRIBED = protocol.subscription_succeeded("private-x")
GONE = 4009


@dataclass
class ScriptedServer:
    """Sends a greeting, reads the subscription, sends the frames of its script, and closes with a code."""

    script: list[tuple[list[str], int]]
    greeting: str = protocol.connection_established("1.2", 120)
    url: str = ""
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    received: list[str] = field(default_factory=list)

    def visit(self, visitor: ServerConnection) -> None:
        frames, code = self.script.pop(0) if self.script else ([], GONE)
        visitor.send(self.greeting)
        try:
            if "established" not in self.greeting:
                visitor.close(code, "Because.")
            self.subscriptions.append(json.loads(visitor.recv(3))["data"])
            for frame in frames:
                visitor.send(frame)
                if "pusher:ping" in frame:
                    self.received.append(str(visitor.recv(3)))
        except ConnectionClosed:
            return
        visitor.close(code, "Because.")


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    with ExitStack() as stack:

        def start(*script: tuple[list[str], int], **options: Any) -> ScriptedServer:
            scripted = ScriptedServer(list(script), **options)
            server = stack.enter_context(serve(scripted.visit, "127.0.0.1", 0))
            scripted.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
            thread = Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return scripted

        yield start


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace sleeping; return the seconds of each wait."""
    waits: list[float] = []
    monkeypatch.setattr(terminal_client.time, "sleep", waits.append)
    return waits


def listen(url: str, *options: str, channel: str = "private-x") -> tuple[str, str, str]:
    """Run the command to its end; return stdout, stderr and the error."""
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as ending:
        call_command("listen", channel, "--url", url, *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue(), str(ending.value)


def test_event_is_printed_with_its_data(scripted: Callable) -> None:
    event = protocol.frame("ticket.updated", channel="private-x", data='{"ticket":{"subject":"Größe \\u001b[2J"}}')
    plain = protocol.frame("note", channel="private-x", data="no JSON\n\x1b[2J")
    out, _, _ = listen(scripted(([SUBSCRIBED, event, plain], GONE)).url)
    first, second = out[: out.index("note")].splitlines()[:-1], out[out.index("note") :].splitlines()
    assert first[0].split("  ")[1:] == ["ticket.updated", "private-x"]
    assert "\n".join(first[1:]) == ('    {\n      "ticket": {\n        "subject": "Größe \\u001b[2J"\n      }\n    }')
    assert second == ["note  private-x", "    no JSON", "    \\u001b[2J"]


def test_json_output_has_one_line_per_event(scripted: Callable) -> None:
    event = protocol.frame("ticket.updated", channel="private-x", data='{"a":["\x9b"]}', event_id="7")
    out, _, _ = listen(scripted(([SUBSCRIBED, event, event], GONE)).url, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(each["event"], each["data"], each["event_id"]) for each in lines] == [
        ("ticket.updated", {"a": ["\x9b"]}, "7")
    ] * 2
    assert "\x9b" not in out


def test_named_user_subscribes(scripted: Callable, cast: Cast) -> None:
    server, channel, bao = scripted(), cast.ticket.channel, str(cast.bao.pk)
    presence = channel.replace("private-", "presence-")
    listen(server.url, "--as", "BAO@example.com", channel=channel)
    listen(server.url, "--as", "BAO@example.com", channel=presence)
    listen(server.url, "--as", "casey@example.com", channel=presence)
    listen(server.url, channel=channel)
    *claims, anonymous = server.subscriptions
    event = [json.loads(claim["channel_data"]) for claim in claims]
    assert [data["user_id"] for data in event] == [bao, bao, str(cast.casey.pk)]
    assert [data.get("user_info", {}).get("name") for data in event] == [None, "Bao Nguyen", None]
    assert anonymous == {"channel": channel, "auth": ""}
    for claim in claims:
        auth, data = protocol.extract_channel_data(claim["auth"], "")
        assert data == claim["channel_data"]
        assert protocol.is_valid_channel_auth(auth, "tikm", ["tests-only-app-secret"], "1.2", claim["channel"], data)


@pytest.mark.parametrize(
    ("code", "wait"), [(1000, 1), (1001, 1), (1011, 1), (1012, 1), (4100, 1), (4200, 0), (4201, 0)]
)
def test_reconnect_follows_the_close_code(scripted: Callable, waited: list, code: int, wait: int) -> None:
    _, err, last = listen(scripted(([SUBSCRIBED], code), ([SUBSCRIBED], code)).url)
    assert waited == [wait, wait]
    assert err.count("Subscribed.") == 2
    assert f"Connection closed ({code}): Because. Reconnecting {'in 1 s' if wait else 'now'}." in err
    assert last.startswith("Connection closed (4009)")


@pytest.mark.parametrize("code", [4000, 4001, 4003, 4005, 4007, 4009, 4300])
def test_fatal_close_code_ends_the_command(scripted: Callable, waited: list, code: int) -> None:
    _, _, last = listen(scripted(([SUBSCRIBED], code)).url)
    assert f"Connection closed ({code}): Because." in last
    assert waited == []


def test_reconnect_delay_grows(scripted: Callable, waited: list) -> None:
    listen(scripted(*([([], 4200)] * 7)).url)
    assert waited == [0, 1, 2, 4, 8, 15, 15]


def test_pings_are_answered_and_errors_are_printed(scripted: Callable) -> None:
    frames = [SUBSCRIBED, protocol.frame("pusher:ping", data="{}"), protocol.error(4301, "Slower."), SUBSCRIBED]
    server = scripted((frames, GONE))
    _, err, last = listen(server.url)
    assert json.loads(server.received[0])["event"] == "pusher:pong"
    assert "Error from the server: Slower.\n" in err
    assert "Subscribed again: the audience has changed." in err
    assert last == "Connection closed (4009): Slower."


def test_silent_server_is_pinged(scripted: Callable, waited: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_client, "ACTIVITY_TIMEOUT", 0.01)
    monkeypatch.setattr(terminal_client, "PONG_TIMEOUT", 0.01)
    monkeypatch.setattr(ScriptedServer, "visit", _is_silent_after_the_greeting)
    _, err, _ = listen(scripted(([], 0)).url)
    assert "The server does not answer a ping. Reconnecting now." in err


def _is_silent_after_the_greeting(self: ScriptedServer, visitor: ServerConnection) -> None:
    if not self.script:
        visitor.close(GONE)
        return
    self.script.pop()
    visitor.send(protocol.frame("pusher:connection_established", data='{"socket_id":"1.2"}'))
    assert [json.loads(text)["event"] for text in visitor] == ["pusher:subscribe", "pusher:ping"]


@pytest.mark.parametrize(
    ("person", "channel", "why"),
    [
        (
            "greta",
            "ticket",
            "The rule tickets.policies.authorize_ticket refuses it: Allow users who may open the ticket",
        ),
        ("hiro", "ticket", "The account is inactive."),
        ("bao", "private-nothing.7", "No pattern matches this name"),
        (None, "ticket", "The channel is not public and the user is anonymous. Name a user with --as."),
        ("bao", "ticket", "Subscription refused: No."),
    ],
)
def test_refusal_is_explained(scripted: Callable, cast: Cast, person: str | None, channel: str, why: str) -> None:
    channel = cast.ticket.channel if channel == "ticket" else channel
    server = scripted(([protocol.subscription_error(channel, 403, "No.")], 1000))
    _, _, last = listen(server.url, *(["--as", f"{person}@example.com"] if person else []), channel=channel)
    assert last.startswith("Subscription refused: No.")
    assert why in last


def test_lost_access_ends_the_command(scripted: Callable, cast: Cast) -> None:
    ended = protocol.subscription_error("private-x", 403, "Your access has ended.")
    _, _, last = listen(scripted(([SUBSCRIBED, ended], 1000)).url)
    assert last.startswith("Subscription ended: Your access has ended.")


def test_different_key_or_secret_is_suggested(scripted: Callable, cast: Cast) -> None:
    _, _, last = listen(scripted(([], 4001), greeting=protocol.error(4001, "There is no app with this key.")).url)
    assert last.startswith("Connection closed (4001): There is no app with this key.")
    assert "another REALTIME_APP_KEY" in last
    unsigned = protocol.subscription_error("private-x", 403, "The signature is not valid.")
    _, _, last = listen(scripted(([unsigned], 1000)).url)
    assert last.startswith("Subscription refused: The signature is not valid.")
    assert "another REALTIME_APP_SECRET" in last


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["#server-to-user-7"], "#server-to-user-7 is not a channel name. A channel name must have 1 to 164"),
        (["private-x", "--as", "unknown@example.com"], "There is no user unknown@example.com."),
        (
            ["private-x", "--url", "ftp://example.com"],
            "ftp://example.com is not a server URL; expected one with ws://",
        ),
        (["private-x", "--url", "http://["], "is not a server URL"),
    ],
)
def test_invalid_arguments_are_refused_before_connecting(arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError) as mistake:
        call_command("listen", *arguments)
    assert why in str(mistake.value)


def test_unreachable_server_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _, _, last = listen(f"http://127.0.0.1:{port}")
    assert last == f"Cannot connect to ws://127.0.0.1:{port}/app/tikm: Connection refused."


def test_server_without_pusher_protocol_is_an_error(scripted: Callable) -> None:
    _, _, last = listen(scripted(greeting="Hello!").url)
    assert last.endswith("does not speak the Pusher protocol.")
