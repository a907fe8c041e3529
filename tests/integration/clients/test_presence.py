"""Laravel Echo's here, joining and leaving: colleagues who look at one ticket, each on a server of his own."""

ALL = ["Bao Nguyen", "Dana Okafor"]


def enters(client, desk):
    """Return whom the client finds there."""
    client.do("join", channel=desk.channel)
    return client.sees("here")["people"]


def test_colleagues_on_two_servers_see_each_other_come_and_go(desk, echo, daphne, uvicorn):
    bao, dana = echo("bao", daphne), echo("dana", uvicorn)
    assert enters(bao, desk) == ["Bao Nguyen"]
    assert enters(dana, desk) == ALL
    bao.sees("joining", name="Dana Okafor")
    dana.do("leave", channel=desk.channel)
    bao.sees("leaving", name="Dana Okafor")
    assert enters(dana, desk) == ALL
    bao.do("leave", channel=desk.channel)
    dana.sees("leaving", name="Bao Nguyen")
    dana.do("leave", channel=desk.channel)


def test_a_person_with_tabs_on_two_servers_goes_with_the_last_of_them(desk, echo, daphne, uvicorn):
    bao, tab = echo("bao", daphne), echo("dana", daphne)
    other_tab, ada = echo("dana", uvicorn), echo("ada", uvicorn)
    assert enters(bao, desk) == ["Bao Nguyen"]
    assert enters(tab, desk) == enters(other_tab, desk) == ALL
    bao.sees("joining", name="Dana Okafor")
    tab.do("leave", channel=desk.channel)
    # Ada is the control: what was done before she came has been told by the time she is seen.
    assert enters(ada, desk) == ["Ada Admin", *ALL]
    bao.sees("joining")
    other_tab.do("leave", channel=desk.channel)
    bao.sees("leaving")
    told = [(sight["saw"], sight["name"]) for sight in bao.seen if sight["saw"] in ("joining", "leaving")]
    assert told == [("joining", "Dana Okafor"), ("joining", "Ada Admin"), ("leaving", "Dana Okafor")]


def test_a_customer_is_refused_where_staff_see_each_other(desk, echo, daphne):
    casey = echo("casey", daphne)
    casey.do("join", channel=desk.channel)
    assert casey.sees("refused")["status"] == 403
    assert not casey.saw("here")
