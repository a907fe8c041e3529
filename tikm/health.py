"""The liveness endpoint."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 without checking dependencies."""
    return HttpResponse("ok\n", content_type="text/plain")
