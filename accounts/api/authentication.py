"""Authentication and content negotiation of the API."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from accounts.models import ApiToken, User
from accounts.sign_in import tokens


class InsufficientScope(PermissionDenied):  # type: ignore[misc]
    """The token is read-only, and the request would change something (RFC 6750, section 3.1)."""

    default_code = "insufficient_scope"
    default_detail = _("This API token is read-only. Use a token with read and write access.")
    auth_header = 'Bearer realm="api", error="insufficient_scope"'


class BearerAuthentication(BaseAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer TOKEN` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's user. An invalid token is not ignored.

        Raises AuthenticationFailed, and InsufficientScope if a read-only token would change something.
        """
        scheme, _space, given = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.find_token(given.strip())
        if token is None:
            raise AuthenticationFailed
        if token.scope == ApiToken.Scope.READ and request.method not in SAFE_METHODS:
            raise InsufficientScope
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header of 401 responses."""
        return 'Bearer realm="api"'


class AlwaysJSON(BaseContentNegotiation):  # type: ignore[misc]
    """Always returns JSON, ignoring Accept (allowed by RFC 9110, section 12.4.1)."""

    def select_parser(self, request: Request, parsers: list[Any]) -> Any:
        """Return the parser for the request's content type. Raises UnsupportedMediaType."""
        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        accepted = " or ".join(parser.media_type for parser in parsers)
        detail = gettext("Send the body as %(accepted)s, not as %(sent)s.") % {
            "accepted": accepted,
            "sent": request.content_type,
        }
        if request.content_type.startswith("multipart/"):
            detail += " " + gettext(
                "Upload files to /api/v1/attachments/ first, and send their ids in `attachments`."
            )
        raise UnsupportedMediaType(request.content_type, detail)

    def select_renderer(self, request: Request, renderers: list[Any], format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
