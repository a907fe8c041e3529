"""STAFF_TWO_FACTOR_REQUIRED: agents and admins do nothing before they have set up two-factor authentication.

Pages lead them to set it up; the API and the history answer 403, their API tokens are not valid, and their sockets
may subscribe to nothing.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import User
from realtime import Audience
from realtime.channels import Parts
from realtime.http.problems import problem

Rule = Callable[[Any, Sequence[Parts]], list[Audience | None]]

PROGRAMS: Final = ("/api/", "/broadcasting/")
# What setting it up needs, and the way out.
ALLOWED: Final = ("account_logout", "account_reauthenticate", "mfa_reauthenticate", "mfa_index", "mfa_activate_totp")


def users_without() -> Q:
    """Return the condition for users who have to set it up first."""
    if not settings.STAFF_TWO_FACTOR_REQUIRED:
        return Q(pk__in=[])
    second_steps = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)
    return ~Q(role=User.Role.CUSTOMER) & ~Q(Exists(second_steps.filter(user=OuterRef("pk"))))


def is_missing(user: Any) -> bool:
    """Return whether the user has to set it up first."""
    if not settings.STAFF_TWO_FACTOR_REQUIRED or not isinstance(user, User) or user.is_customer:
        return False
    return User.objects.filter(users_without(), pk=user.pk).exists()


def second_step_required(rule: Rule) -> Rule:
    """Decorate the rule of a channel: it authorizes no user who has to set it up first."""

    @wraps(rule)
    def authorize(user: Any, channels: Sequence[Parts]) -> list[Audience | None]:
        return [None] * len(channels) if is_missing(user) else rule(user, channels)

    return authorize


class SecondStepMiddleware:
    """Leads a user to the page that sets it up, whatever they request; programs get 403."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Ask only for requests that bring a session: public files are the same for all."""
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if not (settings.STAFF_TWO_FACTOR_REQUIRED and has_session) or _is_allowed(request):
            return None
        if not is_missing(request.user):
            return None
        if request.path.startswith(PROGRAMS):
            return problem(403, "second_step_required", _("Set up two-factor authentication first."))
        messages.info(request, _("Agents and admins need two-factor authentication here. Set it up to continue."))
        return redirect("mfa_activate_totp")


def _is_allowed(request: HttpRequest) -> bool:
    name = request.resolver_match.url_name if request.resolver_match else ""
    return name in ALLOWED or (name == "session" and request.method == "GET")
