"""Client events of Echo and pusher-js, with the data that the server makes of them."""

import pytest

ROOM = "presence-room.garden"
SUCCEEDED = "pusher:subscription_succeeded"


def test_typing_event_carries_the_servers_payload(desk, echo, daphne):
    bao, casey = people = echo("bao", daphne), echo("casey", daphne)
    for person in people:
        person.do("listen", channel=desk.channel, event=".ticket.updated")
        person.do("listenForWhisper", channel=desk.channel, event="typing")
        person.sees("subscribed")
    bao.do("whisper", channel=desk.channel, event="typing", data={"user": {"name": "Ada Admin"}, "note": "Refund?"})
    expected = {"user": {"id": desk.ids["bao"], "name": "Bao Nguyen", "role": "agent"}}
    assert casey.sees("whisper")["data"] == expected
    casey.do("whisper", channel=desk.channel, event="typing", data={})
    assert bao.sees("whisper")["data"]["user"]["name"] == "Casey Rivers"
    # A client event does not return to its sender: Casey's is the first that Bao receives.
    assert len(bao.saw("whisper")) == 1


def test_forbidden_client_event_is_refused_and_the_connection_stays(desk, echo, daphne):
    bao = echo("bao", daphne)
    bao.do("listen", channel=desk.channel, event=".ticket.updated")
    bao.sees("subscribed")
    bao.do("whisper", channel=desk.channel, event="shouting", data={})
    assert bao.sees("error")["code"] == 4301
    bao.do("listenForWhisper", channel=desk.channel, event="typing")
    bao.do("listen", channel=f"user.{desk.ids['bao']}", event=".ticket.updated")
    bao.sees("subscribed", channel=f"user.{desk.ids['bao']}")


@pytest.mark.parametrize("data", [{"at": "all"}, "Hello", "", ["a", 1, None], 7], ids=repr)
def test_client_event_data_passes_unchanged_where_the_pattern_allows_it(desk, pusher, every_kind, data):
    casey, bao = people = pusher("casey", every_kind), pusher("bao", every_kind)
    for person in people:
        person.do("subscribe", channel=ROOM)
        person.sees("event", event=SUCCEEDED)
    casey.do("trigger", channel=ROOM, event="client-wave", data=data)
    assert bao.sees("event", event="client-wave")["data"] == data
    assert bao.sees("frame", event="client-wave")["user_id"] == desk.ids["casey"]


def test_client_event_may_have_no_data(pusher, every_kind):
    casey, bao = people = pusher("casey", every_kind), pusher("bao", every_kind)
    for person in people:
        person.do("subscribe", channel=ROOM)
        person.sees("event", event=SUCCEEDED)
    casey.do("trigger", channel=ROOM, event="client-wave")
    assert bao.sees("event", event="client-wave")["data"] == {}
