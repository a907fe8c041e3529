"""Error responses of /broadcasting/ as problem details (RFC 9457)."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware

MEDIA_TYPE = "application/problem+json"

View = Callable[[HttpRequest], HttpResponse]


def problem(status: int, code: str, detail: str, **more: Any) -> JsonResponse:
    """Return a problem: `code` for programs, `detail` for their authors."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def problem_errors(view: View) -> View:
    """Decorate a view to answer with a problem where Django answers with an empty body or a page."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            response = view(request)
        except RequestDataTooBig:
            return problem(413, "too_large", "The body is too large.")
        except (SuspiciousOperation, MultiPartParserError):
            return problem(400, "parse_error", "The body is not a form.")
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        refused = problem(405, "method_not_allowed", f"Use {response['Allow']}.")
        refused["Allow"] = response["Allow"]
        return refused

    return answer


class CsrfProblemMiddleware(CsrfViewMiddleware):
    """CSRF protection for programs: its refusal is a problem, not a page."""

    def _reject(self, request: HttpRequest, reason: str) -> JsonResponse:
        return problem(403, "csrf_failed", f"{reason} Send the CSRF token as X-CSRFToken.")
