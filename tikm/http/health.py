"""The endpoints for probes: liveness and readiness."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

ALIVE, READY = "/healthz", "/readyz"

GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: GetResponse) -> GetResponse:
    """Middleware: answer probes for any Host, since they name a machine's address.

    ALIVE says that the process serves, and checks nothing else: a restart would not mend a dependency. READY is 503
    without the database. Redis is none of it: without Redis everything works.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD") and request.path == ALIVE:
            return HttpResponse("ok\n", content_type="text/plain")
        if request.method in ("GET", "HEAD") and request.path == READY:
            return _readiness()
        return get_response(request)

    return middleware


def _readiness() -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
