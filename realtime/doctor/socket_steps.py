"""Steps of a socket: upgrade, app key, origin, subscription and the silence that a proxy must bear."""

import json
import ssl

from websockets.exceptions import InvalidHandshake, InvalidStatus

from realtime.conf import config
from realtime.doctor.page_steps import authorize, session_cookie
from realtime.doctor.problem import Problem, Untested
from realtime.doctor.socket_client import Closed, IdleSocket, Socket
from realtime.doctor.walk import Walk

ANSWER_SECONDS = 10
SWEEP_SECONDS = 5  # by which the server's ping may be late
UPGRADE_FIX = (
    "Have the proxy forward the upgrade on /app/ "
    "(nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;)."
)
ORIGIN_REFUSED, UNKNOWN_APP, DISABLED = 4009, 4001, 4003


def check_upgrade(walk: Walk) -> str:
    """Open a WebSocket as a page does."""
    site = walk.sockets_at or walk.site
    try:
        walk.socket = Socket(site, config().app_key, origin=walk.site.url, cookie=session_cookie(walk))
    except InvalidStatus as error:
        raise _refused_upgrade(error.response.status_code) from None
    except (InvalidHandshake, EOFError) as error:
        raise Problem(
            f"The WebSocket handshake fails: {error or 'the connection was closed'}.", UPGRADE_FIX
        ) from None
    except ssl.SSLError as error:
        raise Problem(
            f"The socket's host {site.host} fails TLS: {error}.", f"Install a certificate for {site.host}."
        ) from None
    except OSError as error:
        raise Problem(
            f"{site.host} port {site.port} does not accept sockets: {error}.",
            "Set REALTIME_HOST and REALTIME_PORT to where browsers reach the sockets, or unset them.",
        ) from None
    return f"{site.netloc} upgrades to a WebSocket"


def _refused_upgrade(status: int) -> Problem:
    found = f"The WebSocket is refused with HTTP status {status}."
    if status in (502, 503, 504):
        return Problem(
            found, "Start `manage.py serve` (or `serve --sockets-only`), and set the upstream of /app/ to its port."
        )
    if status == 403:
        return Problem(found, "Have the proxy (or a firewall or CDN in front) allow WebSockets on /app/.")
    return Problem(found, UPGRADE_FIX)


def check_key_and_origin(walk: Walk) -> str:
    """Read the server's greeting, or why it closes the socket."""
    assert walk.socket is not None  # noqa: S101
    try:
        frame = walk.socket.wait_for("pusher:connection_established", "pusher:error", seconds=ANSWER_SECONDS)
    except TimeoutError:
        raise Problem(
            "The socket opens and receives nothing.", "Turn off buffering for /app/ in the proxy."
        ) from None
    except Closed as error:
        raise Problem(f"The socket is closed at once: {error}.", "Read the log of proxy and server.") from None
    if frame["event"] == "pusher:connection_established":
        seconds = frame["data"]["activity_timeout"]
        _open_idle_socket(walk, seconds)
        return f"the server greets pages of {walk.site.url}"
    code = frame["data"].get("code")
    if code == UNKNOWN_APP:
        raise Problem(
            f"The server has no app with the key {config().app_key}.",
            "Set REALTIME_APP_KEY to the same value in all processes, and reload the server.",
        )
    if code == DISABLED:
        raise Problem("The server does not broadcast.", "Set BROADCAST_CONNECTION=channels, and reload the server.")
    if code == ORIGIN_REFUSED:
        raise Problem(
            f"The server refuses sockets of pages of {walk.site.url}.",
            "Have the proxy pass on the Host header on /app/ (nginx: proxy_set_header Host $http_host), "
            f"or set CSRF_TRUSTED_ORIGINS={walk.site.url}.",
        )
    raise Problem(
        f"The server closes the socket: {frame['data']}.", "docs/reference/close-codes.md names the reason."
    )


def _open_idle_socket(walk: Walk, activity_timeout: float) -> None:
    if walk.waits_for_idle:
        site = walk.sockets_at or walk.site
        socket = Socket(site, config().app_key, origin=walk.site.url)
        walk.idle = IdleSocket(socket, activity_timeout + SWEEP_SECONDS + ANSWER_SECONDS)


def check_subscription(walk: Walk) -> str:
    """Subscribe to a private channel with the signature of /broadcasting/auth."""
    assert walk.socket is not None  # noqa: S101
    signed = json.loads(authorize(walk, walk.socket.socket_id).body)
    walk.socket.send("pusher:subscribe", {"channel": walk.channel, **signed})
    try:
        frame = walk.socket.wait_for(
            "pusher_internal:subscription_succeeded",
            "pusher:subscription_error",
            "pusher:error",
            seconds=ANSWER_SECONDS,
        )
    except (TimeoutError, Closed) as error:
        raise Problem(
            f"The subscription gets no answer: {error or 'timed out'}.", "Read the server's log; check its database."
        ) from None
    if frame["event"] == "pusher_internal:subscription_succeeded":
        return f"subscribed to {walk.channel}"
    text = str(frame["data"])
    if "signature" in text:
        raise Problem(
            "The process of the socket refuses the signature that a page has got.",
            "Set REALTIME_APP_SECRET to the same value in all processes, and reload them.",
        )
    raise Problem(f"The subscription is refused: {text}.", "Give all processes the same database and SECRET_KEY.")


def check_idle(walk: Walk) -> str:
    """Wait until the server pings the silent socket: until then a proxy must not cut it."""
    if walk.idle is None:
        raise Untested("left out by --quick")
    walk.idle.join()
    if walk.idle.cut_after is not None:
        raise Problem(
            f"A silent socket is cut after {walk.idle.cut_after:.0f} s.",
            "Set the proxy's timeout for /app/ to 75 s (nginx: proxy_read_timeout 75s; HAProxy: timeout tunnel).",
        )
    if not walk.idle.was_pinged:
        raise Problem("The server does not ping a silent socket.", "Reload the server; read its log.")
    return "a silent socket stays open"
