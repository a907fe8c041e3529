"""Laravel Echo's here, joining and leaving: colleagues on one ticket, each on a separate server."""

ALL = ["Bao Nguyen", "Dana Okafor"]


def enters(client, fresh_desk):
    """Return the members that the client receives."""
    client.do("join", channel=fresh_desk.channel)
    return client.sees("here")["people"]


def test_members_on_two_servers_see_each_other_join_and_leave(fresh_desk, echo, daphne, uvicorn):
    bao, dana = echo("bao", daphne), echo("dana", uvicorn)
    assert enters(bao, fresh_desk) == ["Bao Nguyen"]
    assert enters(dana, fresh_desk) == ALL
    bao.sees("joining", name="Dana Okafor")
    dana.do("leave", channel=fresh_desk.channel)
    bao.sees("leaving", name="Dana Okafor")
    assert enters(dana, fresh_desk) == ALL
    bao.do("leave", channel=fresh_desk.channel)
    dana.sees("leaving", name="Bao Nguyen")
    dana.do("leave", channel=fresh_desk.channel)


def test_user_with_tabs_on_two_servers_leaves_with_the_last_one(fresh_desk, echo, daphne, uvicorn):
    bao, tab = echo("bao", daphne), echo("dana", daphne)
    other_tab, ada = echo("dana", uvicorn), echo("ada", uvicorn)
    assert enters(bao, fresh_desk) == ["Bao Nguyen"]
    assert enters(tab, fresh_desk) == enters(other_tab, fresh_desk) == ALL
    bao.sees("joining", name="Dana Okafor")
    tab.do("leave", channel=fresh_desk.channel)
    # Ada is the control: once Ada is seen, earlier changes have been delivered.
    assert enters(ada, fresh_desk) == ["Ada Admin", *ALL]
    bao.sees("joining")
    other_tab.do("leave", channel=fresh_desk.channel)
    bao.sees("leaving")
    changes = [(sight["saw"], sight["name"]) for sight in bao.seen if sight["saw"] in ("joining", "leaving")]
    assert changes == [("joining", "Dana Okafor"), ("joining", "Ada Admin"), ("leaving", "Dana Okafor")]


def test_customer_may_not_join_the_presence_channel(fresh_desk, echo, daphne):
    casey = echo("casey", daphne)
    casey.do("join", channel=fresh_desk.channel)
    assert casey.sees("refused")["status"] == 403
    assert not casey.saw("here")
