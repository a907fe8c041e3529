"""What is refused is logged, at a bounded rate; what other clients send beside the protocol is accepted."""

import logging

import pytest

from realtime import consumers, protocol
from realtime.utils.limited_log import BURST, LimitedLog
from tests.support.cast import Cast
from tests.support.sockets import HOST, connect, open_socket


@pytest.fixture(autouse=True)
def _own_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no other test's lines count."""
    monkeypatch.setattr(consumers, "refusals", LimitedLog(logging.getLogger("realtime.consumers")))


async def test_refused_origin_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    listener = await open_socket(origin="https://evil.example\nforged")
    assert (await listener.event("pusher:error"))["code"] == 4009
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert line == (
        rf"origin refused origin='https://evil.example\nforged' host='{HOST}' address='127.0.0.1' left_out=0"
    )


async def test_refused_subscription_is_logged(live_cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    greta = await connect(live_cast.greta)
    await greta.subscribe(live_cast.ticket.channel)
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert line.startswith(f"subscription refused channel='{live_cast.ticket.channel}' user='{live_cast.greta.pk}'")


def test_log_lines_are_limited_and_the_rest_counted(caplog: pytest.LogCaptureFixture) -> None:
    log = LimitedLog(logging.getLogger("realtime.consumers"))
    for number in range(BURST + 5):
        log.warning("origin refused", origin=f"{number}" * 500)
    assert len(caplog.records) == BURST
    assert max(len(record.getMessage()) for record in caplog.records) < 300
    log._bucket = consumers.TokenBucket(1, 1)
    log.warning("origin refused", origin="next")
    assert caplog.records[-1].getMessage().endswith("left_out=5")


@pytest.mark.parametrize(
    ("scheme", "origin", "is_ours"),
    [
        ("wss", f"https://{HOST}", True),
        ("wss", f"http://{HOST}", False),
        ("wss", f"HTTP://{HOST}", False),
        ("wss", f"ftp://{HOST}", False),
        ("ws", f"http://{HOST}", True),
        ("ws", f"https://{HOST}", True),  # a proxy that does not forward the scheme
    ],
)
def test_origin_has_the_scheme_of_the_socket(scheme: str, origin: str, is_ours: bool) -> None:
    headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
    assert consumers.authentication.is_cross_origin({"scheme": scheme, "headers": headers}) is not is_ours


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        '{"event":"pusher:ping","channel":null}',
        '{"event":"pusher:ping","channel":null,"data":null}',
        '{"event":"pusher:ping","channel":null,"data":{},"user_id":null,"socket_id":null}',
        '{"event":"pusher:ping","data":"","name":"ping"}',
    ],
)
async def test_null_and_unknown_fields_are_ignored(text: str) -> None:
    listener = await connect()
    await listener.communicator.send_to(text_data=text)
    assert (await listener.frame())["event"] == "pusher:pong"


def test_empty_data_is_sent() -> None:
    assert protocol.frame("news", channel="news", data="") == '{"event":"news","channel":"news","data":""}'
    assert protocol.cache_miss("cache-news") == '{"event":"pusher:cache_miss","channel":"cache-news","data":"{}"}'
