"""Who may open the settings pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from accounts.types import AuthenticatedRequest
from tickets import policies

View = Callable[..., HttpResponse]


def for_admins(view: View) -> View:
    """Require a user who may change the settings."""

    @wraps(view)
    @login_required
    def check(request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not policies.can_configure(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return check


def password_for_changes(view: View) -> View:
    """Have allauth ask for the password before a change, unless it was entered within a few minutes."""
    changing: View = reauthentication_required(view)

    @wraps(view)
    def check(request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return (changing if request.method == "POST" else view)(request, *args, **kwargs)

    return check


def for_staff(view: View) -> View:
    """Require an agent or admin."""

    @wraps(view)
    @login_required
    def check(request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return check
