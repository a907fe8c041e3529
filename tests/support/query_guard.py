"""A page that asks the database once for each of its rows fails its test."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from zeal import zeal_context


def pages_ask_once(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Watch over what is read; a change locks a row, reads it again, and does so for each that it changes."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method != "GET":
            return get_response(request)
        with zeal_context():
            return get_response(request)

    return middleware
