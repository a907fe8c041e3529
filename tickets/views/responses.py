"""How views answer: a verb's refusal becomes a form's error; a script gets JSON where a browser gets a page."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse


def call_service(form: Form, verb: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a verb, all or nothing; what it finds invalid becomes the form's errors."""
    try:
        with transaction.atomic():
            return verb(*args, **kwargs)
    except ValidationError as error:
        form.add_error(None, error)
        return None


def error_response(request: HttpRequest, form: Form) -> HttpResponse | None:
    """Answer a script with the form's errors; None where a page is wanted."""
    return JsonResponse({"errors": form.errors}, status=422) if wants_json(request) else None


def wants_json(request: HttpRequest) -> bool:
    """Say whether a script asks, rather than a browser for a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
