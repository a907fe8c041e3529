"""Steps of publishing: the server processes, and each way an event can take to a socket."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from realtime.broadcasting import channel_layer, dispatcher, ephemeral
from realtime.broadcasting.events import Event
from realtime.broadcasting.publish import publish
from realtime.channels import Audience
from realtime.conf import config
from realtime.doctor.problem import Advice, Problem, Untested
from realtime.doctor.site import Response
from realtime.doctor.socket_client import Closed
from realtime.doctor.walk import Walk
from realtime.models import Broadcast
from realtime.presence.store import presence_store
from realtime.protocol import encode, frame
from realtime.protocol.http_signatures import VERSION, body_md5, signature
from realtime.utils.circuit_breaker import ServiceUnavailable

EVENT = "realtime.probe"  # pages know no such event and ignore it
POLL_INTERVAL = 0.1  # seconds
GRACE = 3.0  # seconds beyond the interval of the log tailer


@dataclass(frozen=True)
class Probe(Event):
    """A test event for one user."""

    broadcast_as = EVENT
    channel: str
    mark: str

    def broadcast_on(self) -> Sequence[str]:
        """Return the user's channel."""
        return [self.channel]

    def broadcast_to(self) -> Audience:
        """Send it to all subscribers."""
        return Audience.PUBLIC

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the mark by which it is recognised."""
        return {"test": True, "mark": self.mark}

    def broadcast_guard(self) -> str:
        """Its channel is enough."""
        return ""


def check_processes(walk: Walk) -> str:
    """Count the server processes that report, and say what connects them."""
    deadline = time.monotonic() + config().renew_interval + GRACE  # a process reports from its first socket on
    try:
        while not (processes := presence_store().processes()) and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL)
    except ServiceUnavailable as error:
        raise Problem(f"The server processes are unknown: {error}.", "Mend Redis or the database first.") from None
    if not processes:
        raise Problem(
            "No server process reports to the database or Redis of this command.",
            "Start `manage.py serve`, with the same DATABASE_URL, REDIS_URL and REDIS_PREFIX as this command.",
        )
    if len(processes) > 1 and not channel_layer.reaches_every_process():
        raise Advice(
            f"Only the event log connects {len(processes)} server processes: changes arrive up to a second late.",
            "Set REDIS_URL, and reload the server.",
        )
    return f"{len(processes)} server process{'es' * (len(processes) > 1)}"


def check_log(walk: Walk) -> str:
    """Publish an event as a service does: through the event log, and the channel layer after the commit."""
    return _measure(walk, _publish, "published events", "Run this command with the server's DATABASE_URL.")


def check_tailer(walk: Walk) -> str:
    """Write an event to the log only: the log tailer of the process must deliver it."""

    def write_to_log(walk: Walk, mark: str) -> Broadcast | None:
        return publish(Probe(walk.channel, mark), through_layer=False)

    return _measure(
        walk, write_to_log, "the log tailer", "Reload the server (SIGHUP); its log says why reading fails."
    )


def check_layer(walk: Walk) -> str:
    """Send an event through the channel layer only."""
    if not channel_layer.reaches_every_process():
        raise Untested("there is no Redis; the event log connects the processes")

    def send(walk: Walk, mark: str) -> None:
        text = frame(EVENT, channel=walk.channel, data=encode({"test": True, "mark": mark}))
        dispatcher.send([ephemeral.message(walk.channel, audience, text) for audience in Audience])

    return _measure(
        walk, send, "the channel layer", "Give all processes the same REDIS_URL and REDIS_PREFIX, and reload them."
    )


def check_http_api(walk: Walk) -> str:
    """Publish through the Pusher HTTP API."""
    responses = []

    def post(walk: Walk, mark: str) -> None:
        responses.append(_post_event(walk, mark))
        _require_accepted(responses[-1])

    return _measure(walk, post, "the HTTP API", "Give all processes the same database and REDIS_URL.")


def _post_event(walk: Walk, mark: str) -> Response:
    settings, path = config(), f"/apps/{config().app_id}/events"
    data = {"name": EVENT, "channel": walk.channel, "data": encode({"test": True, "mark": mark})}
    body = json.dumps(data).encode()
    query = {
        "auth_key": settings.app_key,
        "auth_timestamp": str(int(time.time())),
        "auth_version": VERSION,
        "body_md5": body_md5(body),
    }
    query["auth_signature"] = signature(settings.app_secrets[0], "POST", path, query)
    headers = {"Content-Type": "application/json"}
    return walk.site.request(f"{path}?{urlencode(query)}", method="POST", headers=headers, body=body)


def _require_accepted(response: Response) -> None:
    if response.status == 200:
        return
    if response.status == 401 and "timestamp" in response.text:
        raise Problem(
            f"The HTTP API refuses the time: {response.text}", "Synchronise all clocks (timedatectl set-ntp true)."
        )
    if response.status == 401:
        raise Problem(
            f"The HTTP API refuses the signature: {response.text}",
            "Set REALTIME_APP_KEY and REALTIME_APP_SECRET to the same values in all processes, and reload them.",
        )
    if response.status == 404 and "Unknown app" in response.text:
        raise Problem(
            f"The HTTP API says: {response.text}", "Set REALTIME_APP_ID to the same value in all processes."
        )
    if response.status in (403, 404, 444):
        raise Untested(f"the proxy does not serve /apps/ to this machine (status {response.status})")
    raise Problem(f"The HTTP API answers {response.status}: {response.text}", "Read the server's log.")


def _publish(walk: Walk, mark: str) -> Broadcast | None:
    return publish(Probe(walk.channel, mark))


def _measure(walk: Walk, send: Callable[[Walk, str], Broadcast | None], way: str, fix: str) -> str:
    """Send an event, wait for it on the socket, and return how long it took. Removes its row from the log."""
    assert walk.socket is not None  # noqa: S101
    mark, started_at = uuid.uuid4().hex, time.monotonic()
    row = send(walk, mark)
    try:
        deadline = started_at + config().tail_interval * 2 + GRACE
        while (frame := walk.socket.wait_for(EVENT, seconds=deadline - time.monotonic()))["data"]["mark"] != mark:
            pass
    except (TimeoutError, Closed) as error:
        raise Problem(
            f"The socket receives nothing through {way}{f' ({error})' if str(error) else ''}.", fix
        ) from None
    finally:
        if row is not None:
            row.delete()
    del frame
    return f"an event takes {1000 * (time.monotonic() - started_at):.0f} ms"
