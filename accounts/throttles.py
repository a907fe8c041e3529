"""How often one person does what costs others something: by page or by program, counted by all processes together."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from limits import parse

from accounts.models import User
from realtime.utils import rate_limits

MINUTE = 60  # seconds


class Throttled(ValidationError):
    """A person has done something more often than settings.ACTION_RATES allows; `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        minutes = max(1, wait // MINUTE)
        words = ngettext(
            "Too many requests. Try again in %(minutes)d minute.",
            "Too many requests. Try again in %(minutes)d minutes.",
            minutes,
        )
        super().__init__(words % {"minutes": minutes}, code="throttled")


def count(deed: str, *, by: User, cost: int = 1) -> None:
    """Count a deed; raise `Throttled` if it is one too many. Outside of transactions, which would hold others up."""
    rate = parse(settings.ACTION_RATES[deed])
    if not rate_limits.allowed(rate, "deed", deed, str(by.pk), cost=cost):
        raise Throttled(rate.get_expiry())


def permits(form: Form, deed: str, *, by: User) -> bool:
    """Count a deed; one too many becomes the form's error."""
    try:
        count(deed, by=by)
    except Throttled as error:
        form.add_error(None, error)
        return False
    return True


def with_retry_after(response: HttpResponse, *errors: Any) -> HttpResponse:
    """Return the answer to what was refused for these errors: with 429, and when to try again, if it was too much."""
    waits = [error.wait for error in errors if isinstance(error, Throttled)]
    if waits:
        response.status_code, response["Retry-After"] = 429, str(max(waits))
    return response


def errors_of(form: Form) -> list[ValidationError]:
    """Return the errors of all fields as they were raised."""
    return [error for errors in form.errors.as_data().values() for error in errors]


def too_many_requests(request: HttpRequest, exception: Throttled | None = None) -> HttpResponse:
    """Answer with a page that says to wait: for what has no form of its own, and for allauth's limits."""
    return with_retry_after(render(request, "429.html", status=429), exception or Throttled(MINUTE))


class ThrottledMiddleware:
    """Answers with that page where a view raises `Throttled`."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Leave every other exception to Django."""
        return too_many_requests(request, exception) if isinstance(exception, Throttled) else None
