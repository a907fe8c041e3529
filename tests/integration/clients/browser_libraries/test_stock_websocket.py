"""The server on uvicorn's own WebSocket class: slower than ours, and the same to clients."""

from contextlib import closing

import pytest

from tests.support.clients.raw_client import RawClient
from tests.support.servers import instances
from tests.support.servers.http_client import HttpClient

REPLY = ".ticket.reply.created"


@pytest.fixture(scope="module")
def stock(desk):
    with desk.serve("uvicorn", DJANGO_SETTINGS_MODULE="tests.support.servers.stock_websocket_settings") as server:
        yield server


def test_stock_websocket_class_delivers_replies_to_echo(desk, echo, stock):
    casey = echo("casey", stock)
    casey.do("listen", channel=desk.channel, event=REPLY)
    casey.sees("subscribed", channel=desk.channel)
    HttpClient(stock.url, desk.sessions["bao"]).reply(desk.ticket, "Over the stock class")
    while (
        casey.sees("event", channel=desk.channel, event=REPLY)["data"]["reply"]["message"] != "Over the stock class"
    ):
        pass


def test_stock_websocket_class_refuses_foreign_channels(desk, echo, stock):
    greta = echo("greta", stock)
    greta.do("listen", channel=desk.channel, event=REPLY)
    assert greta.sees("refused", channel=desk.channel)["status"] == 403


def test_stock_websocket_class_is_in_use(stock: instances.Server, uvicorn: instances.Server):
    """Only uvicorn's class dates its handshake: so the tests above are about that class."""
    for server, has_date in ((stock, True), (uvicorn, False)):
        with closing(RawClient(server.port)) as peer:
            assert (b"\ndate:" in peer.response.lower()) is has_date
