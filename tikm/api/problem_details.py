"""API errors as problem details (RFC 9457), for exceptions of views, services and Django."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as InvalidValue
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.conflicts import is_conflict
from accounts.throttles import Throttled
from audit.requests import request_id

MEDIA_TYPE = "application/problem+json"


def problem_body(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return a problem document: `code` and `errors` for programs, `detail` for users.

    The type is about:blank, so `title` is the name of the status (RFC 9457, section 4.2.1).
    """
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **more}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response for an exception of an API view; None for unexpected ones, which Django handles."""
    found = _as_api_exception(error)
    if found is None:
        return None
    headers = {}
    if getattr(found, "auth_header", None):
        headers["WWW-Authenticate"] = found.auth_header
    if getattr(found, "wait", None):
        headers["Retry-After"] = str(int(found.wait))
    return Response(_body(found), found.status_code, headers=headers, content_type=MEDIA_TYPE)


def problem_response(status: int, code: str, detail: str, **headers: str) -> HttpResponse:
    """Return a problem response outside of API views."""
    body = problem_body(status, code, detail)
    return JsonResponse(body, status=status, headers=headers, content_type=MEDIA_TYPE)


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponse:
    """Return 404 for unknown URLs below /api/."""
    return problem_response(404, "not_found", _("Not found. API URLs end with a slash."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 500 as a problem below /api/ and /broadcasting/, and elsewhere as a page with the id of the request."""
    if request.path.startswith(("/api/", "/broadcasting/")):
        return problem_response(500, "server_error", _("Internal server error."))
    return HttpResponseServerError(render_to_string("500.html", {"request_id": request_id(request)}))


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    """Convert exceptions of Django and of services to those of REST framework."""
    if isinstance(error, exceptions.ValidationError):
        return _of_status(422, exceptions.ValidationError(error.detail))
    if isinstance(error, exceptions.APIException):
        return error
    if is_conflict(error):
        detail = _("Another request saved the same value at this moment. Nothing was changed: try again.")
        return _of_status(409, exceptions.APIException(detail, "conflict"))
    found = next((make for kind, make in TRANSLATIONS.items() if isinstance(error, kind)), None)
    return found(error) if found else None


def _of_status(status: int, error: exceptions.APIException) -> exceptions.APIException:
    error.status_code = status
    return error


TRANSLATIONS: dict[type[Exception], Callable[[Any], exceptions.APIException]] = {
    Throttled: lambda error: exceptions.Throttled(error.wait),
    InvalidValue: lambda error: _of_status(422, exceptions.ValidationError(get_error_detail(error))),
    Http404: lambda error: exceptions.NotFound(),
    PermissionDenied: lambda error: exceptions.PermissionDenied(str(error) or None),
    RequestDataTooBig: lambda error: _of_status(
        413, exceptions.APIException(_("The request is too large."), "too_large")
    ),
    SuspiciousOperation: lambda error: exceptions.ParseError(),
}


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if not isinstance(error.detail, list | dict):
        return problem_body(error.status_code, str(error.detail.code), str(error.detail))
    place = getattr(error, "place", "pointer")
    errors = [{place: where, "code": code, "detail": detail} for where, code, detail in _errors(error.detail, place)]
    code = "invalid" if place == "pointer" else error.default_code
    return problem_body(error.status_code, code, " ".join(error["detail"] for error in errors), errors=errors)


def _errors(detail: Any, place: str, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (location, code, message) of each error; the location is a JSON pointer (RFC 6901) or a parameter."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _errors(inner, place, _join_location(where, name, place))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _errors(inner, place, where)
    else:
        yield where or "#", str(detail.code), str(detail)


def _join_location(where: str, name: Any, place: str) -> str:
    if name == api_settings.NON_FIELD_ERRORS_KEY or place != "pointer":
        return where if place == "pointer" else str(name)
    step = str(name).replace("~", "~0").replace("/", "~1")
    return f"{where or '#'}/{step}"
