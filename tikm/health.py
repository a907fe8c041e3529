"""Liveness: the process answers."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 without asking anything else."""
    return HttpResponse("ok\n", content_type="text/plain")
