"""Authentication and content negotiation of the API."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from accounts import tokens
from accounts.models import ApiToken, User


class BearerAuthentication(BaseAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer TOKEN` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's user. An invalid token raises AuthenticationFailed instead of being ignored."""
        scheme, _space, given = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.find_token(given.strip())
        if token is None:
            raise AuthenticationFailed
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
        detail = _("Send the body as %(accepted)s, not as %(sent)s.") % {
            "accepted": accepted,
            "sent": request.content_type,
        }
        if request.content_type.startswith("multipart/"):
            detail += " " + _("Upload files to /api/v1/attachments/ first, and send their ids in `attachments`.")
        raise UnsupportedMediaType(request.content_type, detail)

    def select_renderer(self, request: Request, renderers: list[Any], format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
