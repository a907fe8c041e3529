"""API views of the current user, their tokens and the offices."""

from uuid import UUID

from allauth.account.adapter import get_adapter
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.api.authentication import BearerAuthentication
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.models import ApiToken
from accounts.policies import offered_offices, staffed_offices
from accounts.sign_in import password_login, tokens
from realtime.conf import config

OFFICE = {"id": 1, "name": "Billing", "description": "Invoices and refunds.", "is_internal": False}
TOKEN = {
    "id": "2b3c4d5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e",
    "name": "Bao's phone",
    "created_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-05-31T09:00:00Z",
    "scope": "write",
    "last_used_at": "2026-03-02T09:05:00Z",
    "is_current": False,
}


class Me(ProjectAPIView):
    @extend_schema(
        operation_id="me",
        summary="The current user",
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
        """Return the user of this token or session, with their live channels."""
        user = request.user
        fields = ("id", "name", "email", "role", "language", "time_zone", "channel")
        me = {name: getattr(user, name) for name in fields}
        me |= {"offices": staffed_offices(user), "socket_url": socket_url()}
        return serialized_response(serializers.MeSerializer, me)


class Offices(ProjectAPIView):
    @extend_schema(
        operation_id="offices",
        summary="Offices",
        tags=["Look-ups"],
        responses=serializers.OfficeSerializer(many=True),
        examples=[OpenApiExample("Billing", OFFICE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List the offices in which you may open tickets; internal ones are hidden from customers."""
        return serialized_response(serializers.OfficeSerializer, offered_offices(request.user), many=True)


class Tokens(ProjectAPIView):
    """List and create tokens."""

    def get_permissions(self) -> list[object]:
        """Allow anonymous requests to create a token: the body holds the credentials."""
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_authenticators(self) -> list[object]:
        """Ignore tokens and sessions when a token is created: only the body counts."""
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        """Return the header that makes wrong credentials a 401."""
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
                "401": "The email address, password or code is wrong (`wrong_credentials`, `wrong_code`), or a "
                "code is required (`code_required`).",
                "403": "The email address is not confirmed yet.",
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
        """Create a token with your password and, with two-step sign-in, a code."""
        data = self.read(serializers.CredentialsSerializer)
        user = password_login.authenticate(
            request._request, data["email"], password=data["password"], code=data.get("code", "")
        )
        tokens.check_token_limit(user)
        token, secret = tokens.issue(user, name=data["name"], days=data["days"], scope=data["scope"])
        get_adapter().send_notification_mail("account/email/token_created", user)
        token.token = secret
        return serialized_response(serializers.NewTokenSerializer, token, status=201)


class Token(ProjectAPIView):
    @extend_schema(
        operation_id="token_revoke",
        summary="Revoke a token",
        tags=["Tokens"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke one of your tokens and close the sockets that it opened."""
        token = _own_tokens(request).filter(id=token_id).first()
        if token is None:
            raise Http404
        token.delete()
        return Response(status=204)


def socket_url() -> str:
    """Return the WebSocket URL; a path unless REALTIME_HOST is set."""
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
