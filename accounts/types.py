"""The type of a request behind @login_required."""

from django.http import HttpRequest

from accounts.models import User


class AuthenticatedRequest(HttpRequest):
    """A request whose person is known."""

    user: User
