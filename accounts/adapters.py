"""The project's allauth adapter."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (what is written where the server has a Unix socket, not a port)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Supports servers that do not know the client's address."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address of the client after trusted proxies, or 0.0.0.0 behind a Unix socket."""
        return request.META.get("REMOTE_ADDR") or UNKNOWN_ADDRESS
