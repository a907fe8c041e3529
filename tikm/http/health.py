"""The liveness endpoint."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PATH = "/healthz"

GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: GetResponse) -> GetResponse:
    """Middleware: answer 200 to PATH for any Host, without checking dependencies. Probes name a machine's address."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == PATH and request.method in ("GET", "HEAD"):
            return HttpResponse("ok\n", content_type="text/plain")
        return get_response(request)

    return middleware
