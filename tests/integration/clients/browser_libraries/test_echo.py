"""Laravel Echo subscribes and receives events in the documented way."""

import json

import pytest

from tests.support.servers.http_client import HttpClient

REPLY = ".ticket.reply.created"


def visit(desk, server, name):
    return HttpClient(server.url, desk.sessions[name])


def subscribe_to_ticket(client, desk):
    client.do("listen", channel=desk.channel, event=REPLY)
    client.sees("subscribed", channel=desk.channel)
    return client


def receive_reply(client, channel, message):
    """Return the client's event with this reply; earlier events may come first."""
    while True:
        data = client.sees("event", channel=channel, event=REPLY)["data"]
        if data["reply"]["message"] == message:
            return data


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_customer_receives_the_agents_reply(desk, echo, kind, request):
    server = request.getfixturevalue(kind)
    casey = subscribe_to_ticket(echo("casey", server), desk)
    visit(desk, server, "bao").reply(desk.ticket, f"It is **done** ({kind})")
    data = receive_reply(casey, desk.channel, f"It is **done** ({kind})")
    assert data["reply"]["message_html"] == f'<p dir="auto">It is <strong>done</strong> ({kind})</p>'
    assert data["reply"]["user"]["name"] == "Bao Nguyen"
    assert data["reply"].keys() == {
        "id", "message", "message_html", "is_internal", "created_at", "edited_at", "editable_until", "user",
        "attachments",
    }  # fmt: skip
    assert data["reply"]["user"].keys() == {"id", "name", "role", "avatar_url"}
    assert {"uuid", "reference", "subject"} <= data["ticket"].keys()
    assert data.keys() == {"ticket", "audience", "seq", "reply", "event_id", "timestamp"}


def test_echo_subscribes_with_signed_channel_data(desk, echo, daphne):
    casey = subscribe_to_ticket(echo("casey", daphne), desk)
    (subscription,) = casey.saw("sent", event="pusher:subscribe")
    channel_data = json.loads(subscription["data"]["channel_data"])
    assert channel_data["user_id"] == desk.ids["casey"]
    # The session is encrypted: the cookie cannot be read from it.
    assert channel_data.keys() == {"user_id", "sign_in"}
    assert subscription["data"]["auth"].startswith("tikm:")


def test_unauthorized_channel_is_refused_before_subscribing(desk, echo, daphne):
    greta = echo("greta", daphne)
    greta.do("listen", channel=desk.channel, event=REPLY)
    assert greta.sees("refused", channel=desk.channel)["status"] == 403
    own = f"user.{desk.ids['greta']}"
    greta.do("listen", channel=own, event=REPLY)
    greta.sees("subscribed", channel=own)
    # It was refused by /broadcasting/auth already: her socket never asked for it.
    asked = [sight["data"]["channel"] for sight in greta.saw("sent", event="pusher:subscribe")]
    assert asked == [f"private-{own}"]


def test_unsubscribed_client_receives_no_more_events(desk, echo, daphne):
    leaver, stayer = (subscribe_to_ticket(echo("casey", daphne), desk) for _ in range(2))
    leaver.do("leave", channel=desk.channel)
    own = f"user.{desk.ids['casey']}"
    leaver.do("listen", channel=own, event=REPLY)
    leaver.sees("subscribed", channel=own)
    visit(desk, daphne, "bao").reply(desk.ticket, "Anybody there?")
    # A reply is sent on the ticket's channel first, then on the user's.
    receive_reply(stayer, desk.channel, "Anybody there?")
    receive_reply(leaver, own, "Anybody there?")
    received = leaver.saw("frame", event="ticket.reply.created", channel=f"private-{desk.channel}")
    assert "Anybody there?" not in [sight["data"]["reply"]["message"] for sight in received]
