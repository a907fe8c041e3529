"""Shared responses: errors of a service as form errors, and JSON instead of pages for scripts."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse


def call_service(form: BaseForm, service: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a service in a transaction; add its ValidationError to the form and return None.

    An error of a field that the form does not have is one of the whole form.
    """
    try:
        with transaction.atomic():
            return service(*args, **kwargs)
    except ValidationError as error:
        try:
            form.add_error(None, error)
        except ValueError:  # it has no such field
            form.add_error(None, error.messages)
        return None


def error_response(request: HttpRequest, form: BaseForm) -> HttpResponse | None:
    """Return the form's errors as JSON if the client wants JSON, else None."""
    return JsonResponse({"errors": form.errors}, status=422) if wants_json(request) else None


def wants_json(request: HttpRequest) -> bool:
    """Return whether the client prefers JSON to HTML."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
