"""pusher.signin(): messages to a user, watchlists, and terminated connections."""

SUCCEEDED = "pusher_internal:subscription_succeeded"


def signs_in(client, desk, name):
    client.do("signin")
    client.sees("frame", event=SUCCEEDED, channel=f"#server-to-user-{desk.ids[name]}")
    return client


def test_signed_in_user_receives_user_events_on_every_server(desk, pusher, back_end, daphne, every_kind):
    for server in (daphne, every_kind):
        casey = signs_in(pusher("casey", server), desk, "casey")
        back_end.broadcast(f"#server-to-user-{desk.ids['casey']}", "greeting", '{"text":"Hello"}')
        assert casey.sees("user", event="greeting")["data"] == {"text": "Hello"}


def test_user_event_reaches_that_user_alone(desk, pusher, back_end, daphne):
    casey, greta = (signs_in(pusher(name, daphne), desk, name) for name in ("casey", "greta"))
    back_end.broadcast(f"#server-to-user-{desk.ids['casey']}", "letter", '"Hello, Casey"')
    back_end.broadcast(f"#server-to-user-{desk.ids['greta']}", "letter", '"Hello, Greta"')
    assert casey.sees("user", event="letter")["data"] == "Hello, Casey"
    assert greta.sees("user", event="letter")["data"] == "Hello, Greta"


def test_watchlist_reports_a_user_online_and_offline(desk, pusher, back_end, every_kind):
    bao = signs_in(pusher("bao", every_kind), desk, "bao")
    (before,) = bao.saw("watched", event="offline")
    assert desk.ids["dana"] in before["people"]
    dana = signs_in(pusher("dana", every_kind), desk, "dana")
    bao.sees("watched", event="online", people=[desk.ids["dana"]])
    back_end.disconnect(desk.ids["dana"])
    bao.sees("watched", event="offline", people=[desk.ids["dana"]])
    assert dana.sees("error")["code"] == 4009
    # pusher-js is "disconnected", not "connecting", when it will not reconnect.
    dana.sees("state", state="disconnected")
    back_end.broadcast(f"#server-to-user-{desk.ids['bao']}", "question", '"Still here?"')
    assert bao.sees("user", event="question")["data"] == "Still here?"
