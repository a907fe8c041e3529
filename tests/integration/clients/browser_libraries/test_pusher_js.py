"""pusher-js alone: it stays connected while answered, and stops after a final close code."""

import pytest


def test_idle_client_pings_and_stays_connected(start, daphne):
    impatient = {"activityTimeout": 100, "pongTimeout": 2000}
    client = start("pusher.js", port=daphne.port, key="tikm", pusher=impatient)
    client.sees("state", state="connected")
    for _ in range(3):
        client.sees("frame", event="pusher:pong")
    assert [sight["state"] for sight in client.saw("state")] == ["connected"]


@pytest.mark.parametrize(
    ("code", "mistake"),
    [
        pytest.param(4001, {"key": "unknown-key"}, id="unknown key"),
        pytest.param(4005, {"key": "tikm", "pusher": {"wsPath": "/elsewhere"}}, id="wrong path"),
    ],
)
def test_refused_client_reads_the_code_and_does_not_reconnect(start, daphne, nobodys_port, code, mistake):
    waiting = start("pusher.js", port=nobodys_port, key="tikm", pusher={"unavailableTimeout": 100})
    waiting.sees("state", state="unavailable")
    refused = start("pusher.js", port=daphne.port, **mistake)
    assert refused.sees("error")["code"] == code
    refused.sees("state", state="disconnected")
    # A client that will retry has a timer and keeps running; one that has given up exits.
    assert refused.process.wait(timeout=5) == 0
    assert waiting.process.poll() is None
