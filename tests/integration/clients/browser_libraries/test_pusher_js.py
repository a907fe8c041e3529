"""pusher-js by itself: it stays while it is answered, and goes for good when it is told to."""

import pytest


def test_a_quiet_client_pings_and_stays(start, daphne):
    impatient = {"activityTimeout": 100, "pongTimeout": 2000}
    client = start("pusher.js", port=daphne.port, key="tikm", pusher=impatient)
    client.sees("state", state="connected")
    for _ in range(3):
        client.sees("frame", event="pusher:pong")
    assert [sight["state"] for sight in client.saw("state")] == ["connected"]


@pytest.mark.parametrize(
    ("code", "mistake"),
    [
        pytest.param(4001, {"key": "somebody-elses"}, id="unknown key"),
        pytest.param(4005, {"key": "tikm", "pusher": {"wsPath": "/elsewhere"}}, id="wrong path"),
    ],
)
def test_who_cannot_be_served_is_told_why_and_does_not_come_back(start, daphne, nobodys_port, code, mistake):
    waiting = start("pusher.js", port=nobodys_port, key="tikm", pusher={"unavailableTimeout": 100})
    waiting.sees("state", state="unavailable")
    refused = start("pusher.js", port=daphne.port, **mistake)
    assert refused.sees("error")["code"] == code
    refused.sees("state", state="disconnected")
    # Whoever will try again has a timer, and does not end; whoever has given up does.
    assert refused.process.wait(timeout=5) == 0
    assert waiting.process.poll() is None
