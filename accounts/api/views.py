"""REST API of the user: account, tokens, offices."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import password_login, tokens
from accounts.api import serializers
from accounts.api.authentication import BearerAuthentication
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.models import ApiToken
from accounts.policies import offered_offices, staffed_offices
from realtime.conf import config

OFFICE = {"id": 1, "name": "Billing", "description": "Invoices and refunds.", "is_internal": False}
TOKEN = {
    "id": "2b3c4d5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e",
    "name": "Bao's phone",
    "created_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-05-31T09:00:00Z",
    "is_current": False,
}


class Me(ProjectAPIView):
    """The authenticated user."""

    @extend_schema(
        operation_id="me",
        summary="Read the current user",
        tags=["People"],
        responses=serializers.MeSerializer,
        examples=[
            OpenApiExample(
                "An agent",
                {
                    "id": "9b2f6a1e-58d4-4a53-8a0f-1c0f4a3f6d2b",
                    "name": "Bao Nguyen",
                    "email": "bao@example.com",
                    "role": "agent",
                    "language": "en",
                    "time_zone": "Europe/Berlin",
                    "offices": [{"id": 1, "name": "Billing", "channel": "private-office.1"}],
                    "channel": "private-user.9b2f6a1e-58d4-4a53-8a0f-1c0f4a3f6d2b",
                    "socket_url": "/app/tikm",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Return the authenticated user, with their channels and socket address."""
        user = request.user
        fields = ("id", "name", "email", "role", "language", "time_zone", "channel")
        me = {name: getattr(user, name) for name in fields}
        me |= {"offices": staffed_offices(user), "socket_url": socket_url()}
        return serialized_response(serializers.MeSerializer, me)


class Offices(ProjectAPIView):
    """Offices."""

    @extend_schema(
        operation_id="offices",
        summary="Offices for new tickets",
        tags=["Look-ups"],
        responses=serializers.OfficeSerializer(many=True),
        examples=[OpenApiExample("Billing", OFFICE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List the offices for your new tickets; customers see no internal offices."""
        return serialized_response(serializers.OfficeSerializer, offered_offices(request.user), many=True)


class Tokens(ProjectAPIView):
    """List and create tokens."""

    def get_permissions(self) -> list[object]:
        """Allow creation without authentication: the body has the credentials."""
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_authenticators(self) -> list[object]:
        """Ignore tokens and sessions on creation: a token cannot create further tokens."""
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        """Answer wrong credentials with 401, like an invalid token."""
        return BearerAuthentication().authenticate_header(request)

    @extend_schema(
        operation_id="tokens",
        summary="List tokens",
        tags=["Tokens"],
        responses=serializers.TokenSerializer(many=True),
        examples=[OpenApiExample("A phone", TOKEN, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List your tokens, newest first, without their secrets."""
        context = {"current": request.auth}
        found = serializers.TokenSerializer(_own_tokens(request), many=True, context=context)
        return Response(found.data)

    @extend_schema(
        operation_id="token_create",
        summary="Create a token",
        tags=["Tokens"],
        auth=[],
        request=serializers.CredentialsSerializer,
        responses={201: serializers.NewTokenSerializer},
        extensions={
            "x-problems": {
                "401": "Email address, password or code is wrong (`wrong_credentials`, `wrong_code`), or a code is "
                "also required (`code_required`).",
                "403": "The account's email address isn't confirmed yet.",
            }
        },
        examples=[
            OpenApiExample(
                "A phone",
                {"email": "bao@example.com", "password": "correct horse battery", "name": "Bao's phone", "days": 90},
                request_only=True,
            ),
            OpenApiExample("The token", TOKEN | {"token": "4f9c…"}, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a token with your password and, with two-factor authentication, a code."""
        wanted = self.read(serializers.CredentialsSerializer)
        user = password_login.authenticate(
            request._request, wanted["email"], password=wanted["password"], code=wanted.get("code", "")
        )
        tokens.check_token_limit(user)
        token, characters = tokens.issue(user, name=wanted["name"], days=wanted["days"])
        token.token = characters
        return serialized_response(serializers.NewTokenSerializer, token, status=201)


class Token(ProjectAPIView):
    """One token."""

    @extend_schema(
        operation_id="token_revoke",
        summary="Revoke a token",
        tags=["Tokens"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke a token of yours at once, with the sockets it opened."""
        token = _own_tokens(request).filter(id=token_id).first()
        if token is None:
            raise Http404
        token.delete()
        return Response(status=204)


def socket_url() -> str:
    """Return the socket's address, relative unless the settings name another host."""
    settings = config()
    path = f"/app/{settings.app_key}"
    if not settings.host:
        return path
    scheme = "ws" if settings.scheme == "http" else "wss"
    port = f":{settings.port}" if settings.port else ""
    return f"{scheme}://{settings.host}{port}{path}"


def _own_tokens(request: Request) -> QuerySet[ApiToken]:
    own: QuerySet[ApiToken] = ApiToken.objects.filter(user=request.user)
    return own
