"""The Content-Security-Policy of each response, and the reports of browsers about it."""

import json
import logging
from typing import Any
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware, PolicyParts
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import split_domain_port
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from realtime.conf import config
from realtime.utils.limited_log import LimitedLog

ENDPOINT = "csp"  # the name of our endpoint in the Reporting API
MAX_REPORT_SIZE = 64 * 1024  # bytes of one request, which may hold several reports
MAX_REPORTS = 10  # of one request

violations = LimitedLog(logging.getLogger(__name__))


class ContentSecurityMiddleware(CSPMiddleware):
    """Allows the socket that the page opens, and asks browsers to report what the policy blocks."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the policy of the settings, and what depends on the request."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only:
            parts.update = {**(parts.update or {}), **_directives(request)}
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the headers. Browsers take endpoints of the Reporting API over HTTPS only."""
        if request.is_secure():
            response["Reporting-Endpoints"] = f'{ENDPOINT}="{reverse("csp-reports")}"'
        return super().process_response(request, response)


def _directives(request: HttpRequest) -> dict[str, list[str]]:
    directives = {"connect-src": socket_sources(request), "report-uri": [reverse("csp-reports")]}
    # Chromium ignores report-uri where there is a report-to, even one whose endpoint it does not take.
    return directives | {"report-to": [ENDPOINT]} if request.is_secure() else directives


def socket_sources(request: HttpRequest) -> list[str]:
    """Return the addresses of the socket that the page may open if it is not on the page's own origin.

    What REALTIME_HOST, REALTIME_PORT and REALTIME_SCHEME leave open is taken from the page, as in
    static/js/live/echo-options.js.
    """
    settings = config()
    if not (settings.host or settings.port or settings.scheme):
        return []
    try:
        host, port = split_domain_port(request.get_host())
    except DisallowedHost:  # its answer opens no socket
        return []
    port = str(settings.port or port)
    place = f"{settings.host or host}{f':{port}' if port else ''}"
    schemes = {"http": ["ws"], "https": ["wss"]}.get(settings.scheme, ["ws", "wss"])
    return [f"{scheme}://{place}" for scheme in schemes]


@csrf_exempt
@require_POST
def collect_reports(request: HttpRequest) -> HttpResponse:
    """Log violations of the policy, at a bounded rate. Browsers send them without credentials."""
    if int(request.headers.get("Content-Length") or 0) > MAX_REPORT_SIZE:
        return HttpResponse(status=413)
    try:
        reports = list(_violations(json.loads(request.body)))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return HttpResponse(status=400)
    for report in reports:
        violations.warning("csp violation", **report)
    return HttpResponse(status=204)


def _violations(sent: Any) -> list[dict[str, str]]:
    """Return directive, blocked origin and page of each report, in the form of report-uri or of report-to."""
    if isinstance(sent, dict):
        report = sent["csp-report"]
        directive = report.get("effective-directive") or report.get("violated-directive")
        return [_violation(directive, report.get("blocked-uri"), report.get("document-uri"))]
    bodies = [report["body"] for report in sent[:MAX_REPORTS] if report.get("type") == "csp-violation"]
    return [
        _violation(body.get("effectiveDirective"), body.get("blockedURL"), body.get("documentURL")) for body in bodies
    ]


def _violation(directive: Any, blocked: Any, page: Any) -> dict[str, str]:
    return {"directive": str(directive), "blocked": _origin(str(blocked)), "page": _route(str(page))}


def _origin(blocked: str) -> str:
    """Return the origin of a URL, or a word such as "inline": paths may hold secrets."""
    url = urlsplit(blocked)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.netloc else url.scheme or blocked


def _route(page: str) -> str:
    """Return the pattern of a page's URL: the URL may hold secrets, such as the key of a new password."""
    try:
        return resolve(urlsplit(page).path).route or "/"
    except Resolver404:
        return "unknown"
