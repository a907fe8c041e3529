"""The allauth adapter."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (a placeholder, not an address to bind)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Allows sign-in behind a Unix socket, where REMOTE_ADDR is empty."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address behind trusted proxies, or 0.0.0.0 if it is unknown."""
        return request.META.get("REMOTE_ADDR") or UNKNOWN_ADDRESS
