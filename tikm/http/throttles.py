"""Rate limits of the API per address, user and token, shared by all processes."""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from limits import RateLimitItem, parse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken
from realtime.utils import rate_limits
from realtime.utils.client_address import address_key
from tikm.api import problem_details

GetResponse = Callable[[HttpRequest], HttpResponse]


def limit_by_address(get_response: GetResponse) -> GetResponse:
    """Limit API requests per address before authentication, so that guessed tokens count too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return get_response(request)
        rate = rate_of("address")
        if rate_limits.allowed(rate, "api", "address", address_key(get_adapter().get_client_ip(request))):
            return get_response(request)
        detail = _("Too many requests from this address.")
        return problem_details.problem_response(429, "throttled", detail, **{"Retry-After": str(rate.get_expiry())})

    return middleware


def rate_of(kind: str) -> RateLimitItem:
    """Return the rate limit of an address, user or token."""
    return parse(settings.API_RATES[kind])


class UserThrottle(BaseThrottle):  # type: ignore[misc]
    """Limits requests per user, by token or session."""

    kind = "user"

    def allow_request(self, request: Request, view: object) -> bool:
        """Count the request, and return whether it is within the limit."""
        key = self.key(request)
        return key is None or rate_limits.allowed(rate_of(self.kind), "api", self.kind, key)

    def wait(self) -> float:
        """Return the seconds until the limit resets."""
        return float(rate_of(self.kind).get_expiry())

    def key(self, request: Request) -> str | None:
        """Return the key to count by; None for no limit."""
        return str(request.user.pk) if request.user.is_authenticated else None


class TokenThrottle(UserThrottle):
    """Limits requests per token, so that one program leaves a share to the user's others."""

    kind = "token"

    def key(self, request: Request) -> str | None:
        return str(request.auth.id) if isinstance(request.auth, ApiToken) else None
