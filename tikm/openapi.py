"""The OpenAPI document, what it says of every operation alike, and the page that shows it."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from accounts.api.fields import WORDS, Body
from tikm.problem_details import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "An error as problem details (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Always `about:blank`."},
        "title": {"type": "string", "description": "The reason phrase of the HTTP status."},
        "status": {"type": "integer", "description": "The HTTP status code."},
        "code": {"type": "string", "description": "A stable, machine-readable code such as `version_outdated`."},
        "detail": {"type": "string", "description": "A human-readable explanation, in the user's language."},
        "errors": {
            "type": "array",
            "description": "The individual validation errors.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON Pointer into the body (RFC 6901), such as `#/subject`.",
                    },
                    "parameter": {"type": "string", "description": "Name of the query parameter."},
                    "header": {"type": "string", "description": "Name of the header."},
                    "code": {
                        "type": "string",
                        "description": "A machine-readable code such as `required`, `blank` or `unknown`.",
                    },
                    "detail": {"type": "string", "description": "A human-readable explanation."},
                },
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "invalid",
        "detail": "Enter a message.",
        "errors": [{"pointer": "#/subject", "code": "blank", "detail": "Enter a message."}],
    },
}
TEXTS = {
    "400": "The URL, a header or the body is malformed.",
    "401": "Authentication is missing, or the token is invalid.",
    "403": "You don't have permission to do this.",
    "404": "The resource doesn't exist, or you don't have access to it.",
    "413": "The request body is too large.",
    "415": "The content type isn't supported.",
    "422": "The body failed validation; see `errors`.",
    "429": "Rate limit exceeded for this user, token or IP address.",
}
PLACES = {
    "uuid": "The ticket's `uuid`.",
    "reply_id": "The reply's `id`.",
    "attachment_id": "The file's `id`.",
    "token_id": "The token's `id`.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True}


class ClosedBodySchema(AutoSchema):
    """Says that a body holds known fields only."""

    def _map_serializer(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> Any:
        """Close the objects that programs send."""
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        return {**schema, "additionalProperties": False} if isinstance(serializer, Body) else schema


class Bearer(OpenApiAuthenticationExtension):
    """How a token is sent."""

    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, created in the profile or with `auth/token/`.",
        }


class TextSchema(OpenApiSerializerFieldExtension):
    """Words that can be seen."""

    target_class = "accounts.api.fields.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return what the field accepts."""
        return {"type": "string", "minLength": 1, "maxLength": self.target.max_length, "pattern": WORDS}


class RowSchema(OpenApiSerializerFieldExtension):
    """A row by name or id."""

    target_class = "accounts.api.fields.Row"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return both ways to name it."""
        return {"oneOf": [{"type": "string", "minLength": 1, "maxLength": 80}, {"type": "integer", "minimum": 1}]}


def ours_only(endpoints: list[Any]) -> list[Any]:
    """Leave what is not below /api/v1/ out of the document."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to every operation how it can fail, so that no view has to say it again."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            texts = {status: TEXTS[status] for status in _failures(path, method, operation)}
            for status, text in (texts | operation.pop("x-problems", {})).items():
                operation["responses"][status] = _problem(status, text)
            operation["responses"] = dict(sorted(operation["responses"].items()))
            for parameter in operation.get("parameters", ()):
                parameter.setdefault("description", PLACES.get(parameter["name"], ""))
    return result


def _failures(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """Return the statuses with which any operation of its kind can fail."""
    has_body = "requestBody" in operation
    has_parameters = any(parameter["in"] in ("query", "header") for parameter in operation.get("parameters", ()))
    kinds = {
        "400": has_body or has_parameters,
        "401": operation.get("security") != [],
        "403": method != "get",
        "404": "{" in path,
        "413": has_body,
        "415": has_body,
        "422": has_body,
        "429": True,
    }
    return [status for status, applies in kinds.items() if applies]


def _problem(status: str, text: str) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = {"headers": {"Retry-After": RETRY_AFTER}} if status == "429" else {}
    return {"description": text, "content": content, **headers}


@cache
def _document() -> bytes:
    return json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str).encode()


@require_GET
@cache_control(public=True, max_age=300)
def document(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document, built once per process and the same for all users."""
    return HttpResponse(_document(), content_type="application/vnd.oai.openapi+json")


@require_GET
@ensure_csrf_cookie
def docs(request: HttpRequest) -> HttpResponse:
    """Show the document, with everything that the page needs from this server."""
    return render(request, "api/docs.html")
