"""The OpenAPI document: common errors, field extensions, and its page."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from accounts.api.fields import LINE, WORDS, Body
from tikm.api.problem_details import MEDIA_TYPE

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
DESCRIPTIONS = {
    "400": "The URL, a header or the body is malformed.",
    "401": "Authentication is missing, or the token is invalid.",
    "403": "You don't have permission to do this.",
    "404": "The resource doesn't exist, or you don't have access to it.",
    "413": "The request body is too large.",
    "415": "The content type isn't supported.",
    "422": "The body failed validation; see `errors`.",
    "429": "Rate limit exceeded for this user, token or IP address.",
}
PATH_PARAMETERS = {
    "uuid": "The ticket's `uuid`.",
    "reply_id": "The reply's `id`.",
    "attachment_id": "The file's `id`.",
    "user_id": "The person's `id`.",
    "token_id": "The token's `id`.",
    "invitation_id": "The invitation's `id`.",
    "kind": "The preference's `kind`.",
    "id": "The organization's `id`.",
    "person_id": "The customer's `id`.",
    "note_id": "The note's `id`.",
    "linked_uuid": "The related ticket's `uuid`.",
    "tag_id": "The tag's `id`.",
    "view_id": "The view's `id`.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True}


class ClosedBodySchema(AutoSchema):
    """Forbids additional properties in request bodies."""

    def _map_serializer(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        if not isinstance(serializer, Body):
            return schema
        # drf-spectacular makes every field of a PATCH optional.
        rules: dict[str, Any] = (
            {"required": list(serializer.required_in_patch)} if serializer.required_in_patch else {}
        )
        if serializer.takes_one_field:
            rules |= {"minProperties": 1, "maxProperties": 1}
        return {**schema, **rules, "additionalProperties": False}


class Bearer(OpenApiAuthenticationExtension):
    """Describes bearer tokens."""

    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from the profile, or from auth/token/."}


class TextSchema(OpenApiSerializerFieldExtension):
    """Describes `Text` fields."""

    target_class = "accounts.api.fields.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.target.max_length, "pattern": WORDS}


class LineSchema(TextSchema):
    """Describes `Line` fields."""

    target_class = "accounts.api.fields.Line"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return super().map_serializer_field(auto_schema, direction) | {"pattern": LINE}


class RowSchema(OpenApiSerializerFieldExtension):
    """Describes `Row` fields."""

    target_class = "accounts.api.fields.Row"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {"oneOf": [{"type": "string", "minLength": 1, "maxLength": 80}, {"type": "integer", "minimum": 1}]}


def only_api_v1(endpoints: list[Any]) -> list[Any]:
    """Keep only endpoints below /api/v1/."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the common error responses to every operation."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            texts = {status: DESCRIPTIONS[status] for status in _failures(path, method, operation)}
            for status, text in (texts | operation.pop("x-problems", {})).items():
                operation["responses"][status] = _problem(status, text)
            operation["responses"] = dict(sorted(operation["responses"].items()))
            for parameter in operation.get("parameters", ()):
                parameter.setdefault("description", PATH_PARAMETERS.get(parameter["name"], ""))
    return result


def require_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Mark every request body as required: drf-spectacular omits it for multipart and for optional fields."""
    for operations in result["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


def _failures(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """Return the error statuses of an operation."""
    has_body = "requestBody" in operation
    has_parameters = any(parameter["in"] in ("query", "header") for parameter in operation.get("parameters", ()))
    applicable = {
        "400": has_body or has_parameters,
        "401": operation.get("security") != [],
        "403": method != "get",
        "404": "{" in path,
        "413": has_body,
        "415": has_body,
        "422": has_body,
        "429": True,
    }
    return [status for status, applies in applicable.items() if applies]


def _problem(status: str, text: str) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = {"headers": {"Retry-After": RETRY_AFTER}} if status == "429" else {}
    return {"description": text, "content": content, **headers}


@cache
def _document() -> bytes:
    return json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str).encode()


@require_safe
@cache_control(public=True, max_age=300)
def document(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document, generated once per process."""
    return HttpResponse(_document(), content_type="application/vnd.oai.openapi+json")


@require_safe
@ensure_csrf_cookie
def docs(request: HttpRequest) -> HttpResponse:
    """Render the document's page."""
    return render(request, "api/docs.html")
