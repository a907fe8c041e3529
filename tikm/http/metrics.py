"""The metrics endpoint, for Prometheus on this machine or with the token."""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from jobs.metrics import JobCollector
from mail.metrics import MailCollector
from realtime import metrics

PATH = "/metrics"
LOOPBACK = ("127.0.0.1", "::1")
# A proxy on this machine connects from loopback too: what it forwards needs the token.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA")

GetResponse = Callable[[HttpRequest], HttpResponse]


def collectors() -> list[JobCollector | MailCollector]:
    """Return what is counted in the database when it is asked for."""
    return [JobCollector(), MailCollector()]


def serve_metrics(get_response: GetResponse) -> GetResponse:
    """Middleware: answer PATH to this machine and to the token, whatever the Host. Must be the first one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == PATH and request.method == "GET" and _is_allowed(request):
            return HttpResponse(metrics.render(collectors()), content_type=CONTENT_TYPE_LATEST)
        return get_response(request)

    return middleware


def _is_allowed(request: HttpRequest) -> bool:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    expected = settings.METRICS_TOKEN
    if expected and scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), expected.encode()):
        return True
    is_forwarded = any(name in request.META for name in FORWARDED)
    return not is_forwarded and request.META.get("REMOTE_ADDR") in LOOPBACK
