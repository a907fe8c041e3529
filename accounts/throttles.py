"""Rate limits per user and action, shared by pages and API and by all processes."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from limits import parse

from accounts.models import User
from realtime.utils import rate_limits

MINUTE = 60  # seconds


class Throttled(ValidationError):
    """The user exceeded settings.ACTION_RATES; `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        minutes = max(1, wait // MINUTE)
        words = ngettext(
            "Too many requests. Try again in %(minutes)d minute.",
            "Too many requests. Try again in %(minutes)d minutes.",
            minutes,
        )
        super().__init__(words % {"minutes": minutes}, code="throttled")


def count(action: str, *, by: User, cost: int = 1) -> None:
    """Count an action. Raises Throttled over the limit. Call it outside of transactions, which would block others."""
    rate = parse(settings.ACTION_RATES[action])
    if not rate_limits.allowed(rate, "action", action, str(by.pk), cost=cost):
        raise Throttled(rate.get_expiry())


def permits(form: BaseForm, action: str, *, by: User) -> bool:
    """Count an action; over the limit, add an error to the form and return False."""
    try:
        count(action, by=by)
    except Throttled as error:
        form.add_error(None, error)
        return False
    return True


def with_retry_after(response: HttpResponse, *errors: Any) -> HttpResponse:
    """Return the response with status 429 and Retry-After if one of the errors is Throttled."""
    waits = [error.wait for error in errors if isinstance(error, Throttled)]
    if waits:
        response.status_code, response["Retry-After"] = 429, str(max(waits))
    return response


def errors_of(form: BaseForm) -> list[ValidationError]:
    """Return the errors of all fields."""
    return [error for errors in form.errors.as_data().values() for error in errors]


def too_many_requests(request: HttpRequest, exception: Throttled | None = None) -> HttpResponse:
    """Render the page of a request without a form, and of allauth's limits."""
    return with_retry_after(render(request, "429.html", status=429), exception or Throttled(MINUTE))


class ThrottledMiddleware:
    """Renders that page when a view raises `Throttled`."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return too_many_requests(request, exception) if isinstance(exception, Throttled) else None
