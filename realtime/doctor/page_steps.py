"""Steps of a page: address, TLS, server, host, static files, cookies, CSRF and channel authorization."""

import json
import socket
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.staticfiles.storage import staticfiles_storage
from django.shortcuts import resolve_url
from django.utils.crypto import get_random_string

from realtime.conf import config
from realtime.doctor.problem import Advice, Problem, Untested
from realtime.doctor.site import Response, Site
from realtime.doctor.walk import Walk
from realtime.models import database_time

MIN_CERTIFICATE_DAYS = 14
MAX_SKEW = 5  # seconds between two clocks; a Date header is up to one second old
SESSION_SECONDS = 300
CHANNEL_TEST = "1.1"  # a socket id for /broadcasting/auth
STATIC_FILE = "realtime/live-connections.css"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_address(walk: Walk) -> str:
    """Connect to the host and port of the URL."""
    site = walk.site
    try:
        with site.connect() as connection:
            address = connection.getpeername()[0]
    except socket.gaierror:
        raise Problem(
            f"The host name {site.host} is unknown.", "Add it to the DNS, or give the right one with --url."
        ) from None
    except OSError as error:
        raise Problem(
            f"{site.host} ({site.port}) does not accept connections: {error.strerror or 'timed out'}.",
            f"Start what listens on port {site.port}, open it in the firewall, or give another port with --url.",
        ) from None
    return f"{site.host} is {address}, and port {site.port} is open"


def check_tls(walk: Walk) -> str:
    """Check the certificate's name, issuer and expiry."""
    site = walk.site
    if site.scheme != "https":
        if site.host in LOOPBACK:
            raise Untested("the URL is on this machine and without TLS")
        raise Problem(f"{site.url} is not encrypted.", "Serve the site over HTTPS: cookies are sent over HTTPS only.")
    try:
        until = ssl.cert_time_to_seconds(str(site.certificate()["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        raise Problem(
            f"Browsers refuse the certificate: {error.verify_message}.", _certificate_fix(error, site)
        ) from None
    except OSError as error:
        raise Problem(
            f"{site.host} port {site.port} does not speak TLS: {error}.",
            "Set up the certificate on this port, or give an http:// URL.",
        ) from None
    days = int((until - time.time()) / 86400)
    if days < MIN_CERTIFICATE_DAYS:
        raise Advice(f"The certificate expires in {days} days.", "Renew it, and reload the proxy.")
    return f"the certificate is valid for {site.host}, for {days} days"


def _certificate_fix(error: ssl.SSLCertVerificationError, site: Site) -> str:
    text = error.verify_message.lower()
    if "match" in text:
        return f"Install a certificate for {site.host}, or use the name that it is for."
    if "expired" in text:
        return "Renew it, and reload the proxy."
    return "Install one of a public authority with its whole chain (fullchain.pem)."


def check_server(walk: Walk) -> str:
    """Ask whether this project's server answers behind the address."""
    response = walk.site.request("/up")
    if response.status == 200 and b'"health"' in response.body:
        return "a server of this project answers"
    if response.status in (301, 302, 307, 308):
        raise Problem(
            f"{walk.site.url} redirects to {response.headers['Location']}.",
            "Give the URL that browsers end at with --url.",
        )
    if response.status in (502, 503, 504):
        raise Problem(
            f"The proxy answers {response.status}: it does not reach the server.",
            "Start `manage.py serve`, and set the proxy's upstream to its --port.",
        )
    if response.status == 400:
        raise Problem(
            f"The server refuses the host name {walk.site.host}.",
            f"Add {walk.site.host} to ALLOWED_HOSTS, and have the proxy pass on the Host header.",
        )
    raise Problem(
        f"Something else answers at {walk.site.url}: status {response.status}.",
        "Set the proxy's server name and upstream for this host, or give the right URL with --url.",
    )


def check_clocks(walk: Walk) -> str:
    """Compare the clocks of this machine, the database and the server."""
    now, skews = datetime.now(UTC), {}
    skews["the database"] = (database_time() - now).total_seconds()
    date = walk.site.request("/up").headers["Date"]
    if date:
        skews["the server"] = (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    for name, skew in skews.items():
        if abs(skew) > MAX_SKEW:
            raise Problem(
                f"The clock of {name} is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's.",
                "Synchronise all clocks (timedatectl set-ntp true).",
            )
    return "the clocks agree"


def check_static_files(walk: Walk) -> str:
    """Fetch a static file as a page names it."""
    address = staticfiles_storage.url(STATIC_FILE)
    if "://" in address:
        raise Untested(f"static files are on another host: {address}")
    response = walk.site.request(address)
    kind = response.headers["Content-Type"] or ""
    if response.status != 200 or not kind.startswith("text/css"):
        raise Problem(
            f"The static file {address} answers {response.status} {kind}.",
            "Run manage.py collectstatic where the server runs, and set the proxy's path of /static/ to STATIC_ROOT.",
        )
    return "static files are served"


def check_cookies(walk: Walk) -> str:
    """Fetch the sign-in page: it must set the CSRF cookie, in a form that browsers accept here."""
    path = resolve_url(settings.LOGIN_URL)
    response = walk.site.request(path)
    if response.status == 400:
        raise _host_refused(walk)
    if response.status != 200:
        raise Problem(f"The sign-in page {path} answers {response.status}.", "Read the server's log.")
    cookies = response.headers.get_all("Set-Cookie") or []
    cookie = next((each for each in cookies if each.startswith(f"{settings.CSRF_COOKIE_NAME}=")), "")
    if not cookie:
        raise Problem(
            f"The sign-in page sets no cookie {settings.CSRF_COOKIE_NAME}.",
            "Have proxy and CDN pass on Set-Cookie, and cache no pages.",
        )
    is_secure = "secure" in cookie.lower().split("; ")
    if is_secure and walk.site.scheme == "http" and walk.site.host not in LOOPBACK:
        raise Problem("Browsers drop the cookies: they are for HTTPS only.", "Serve the site over HTTPS.")
    return f"{settings.CSRF_COOKIE_NAME} is set"


def check_csrf(walk: Walk) -> str:
    """Authorize a channel as a page does: with session, CSRF token and Origin."""
    if walk.user is None:
        raise Untested("there is no user; create one with manage.py createsuperuser")
    walk.session_key = _create_session(walk)
    response = authorize(walk, CHANNEL_TEST)
    code = _problem_code(response)
    if response.status == 400 and code != "invalid_channel":
        raise _host_refused(walk)
    if code == "csrf_failed":
        raise _csrf_refused(walk, response)
    if response.status not in (200, 403):
        raise Problem(
            f"/broadcasting/auth answers {response.status}.",
            "Have the proxy pass POST requests on, with their cookies and headers.",
        )
    return f"pages of {walk.site.url} may post"


def check_session(walk: Walk) -> str:
    """Check that the server knows the session, and that the user may subscribe to their channel."""
    response = authorize(walk, CHANNEL_TEST)
    if response.status == 200 and "auth" in json.loads(response.body):
        return f"{walk.user} is authorized for {walk.channel}"
    if _problem_code(response) == "not_authenticated":
        raise Problem(
            "The server does not know the session that this command has stored.",
            "Give the command the server's DATABASE_URL and SECRET_KEY, and have the proxy pass on cookies.",
        )
    raise Problem(
        f"{walk.user} may not subscribe to {walk.channel}: {response.text}",
        f"manage.py channels {walk.channel} --as {walk.user} names the rule.",
    )


def authorize(walk: Walk, socket_id: str) -> Response:
    """Ask for the signature of a subscription, as pusher-js does."""
    token = get_random_string(32)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{session_cookie(walk)}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
        "Origin": walk.site.url,
        "Referer": f"{walk.site.url}/",
    }
    body = urlencode({"socket_id": socket_id, "channel_name": walk.channel})
    return walk.site.request("/broadcasting/auth", method="POST", headers=headers, body=body)


def session_cookie(walk: Walk) -> str:
    """Return the cookie of the session."""
    return f"{settings.SESSION_COOKIE_NAME}={walk.session_key}"


def end_session(walk: Walk) -> None:
    """Delete the session that `check_csrf` has created."""
    if walk.session_key:
        _store(walk.session_key).delete()


def _create_session(walk: Walk) -> str:
    """Store a session of the user that ends by itself after SESSION_SECONDS."""
    store = _store()
    store[SESSION_KEY] = str(walk.user.pk) if walk.user else ""
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = walk.user.get_session_auth_hash() if walk.user else ""
    store.set_expiry(SESSION_SECONDS)
    store.save()
    return str(store.session_key)


def _store(key: str | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def _problem_code(response: Response) -> str:
    try:
        return str(json.loads(response.body).get("code", ""))
    except (ValueError, AttributeError):
        return ""


def _host_refused(walk: Walk) -> Problem:
    return Problem(
        f"The server refuses the host name {walk.site.host}.",
        f"Add {walk.site.host} to ALLOWED_HOSTS, and have the proxy pass on the Host header.",
    )


def _csrf_refused(walk: Walk, response: Response) -> Problem:
    found = f"The server refuses forms of pages of {walk.site.url}: {json.loads(response.body)['detail']}"
    trust = f"Set CSRF_TRUSTED_ORIGINS={walk.site.url}"
    if walk.site.scheme == "https":
        known = ", ".join(config().trusted_proxies) or "not set"
        fix = f"Set TRUSTED_PROXIES (now {known}) to the proxy's address and have it send X-Forwarded-Proto and Host"
        return Problem(found, f"{fix}. Or: {trust}.")
    return Problem(
        found, f"Have the proxy pass on the Host header (nginx: proxy_set_header Host $http_host). Or: {trust}."
    )
