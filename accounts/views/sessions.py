"""The user's active sessions."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.sign_in import sessions
from accounts.types import AuthenticatedRequest


@require_safe
@cache_control(private=True, no_store=True)
def current_session(request: HttpRequest) -> JsonResponse:
    """Return who is signed in in this browser, and the CSRF token: a page asks after another tab signed out or in."""
    if request.user.is_authenticated:
        return JsonResponse({"user": str(request.user.pk), "csrf_token": get_token(request)})
    # The session middleware would delete the cookie; by the time of this answer it may hold the next session.
    request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
    return JsonResponse({"user": None, "csrf_token": None})


@require_safe
@login_required
def session_list(request: AuthenticatedRequest) -> HttpResponse:
    """List the active sessions, latest first."""
    context = {
        "sessions": sessions.active_sessions(request.user).order_by("-created_at"),
        "current": request.session.session_key,
    }
    return render(request, "accounts/sign_ins.html", context)


@require_POST
@login_required
def end_session(request: AuthenticatedRequest, session_id: int) -> HttpResponse:
    others = _others(request)
    sessions.end_sessions([get_object_or_404(others, pk=session_id)])
    messages.success(request, _("Session signed out."))
    return redirect("sign-ins")


@require_POST
@login_required
def end_other_sessions(request: AuthenticatedRequest) -> HttpResponse:
    """End all other sessions."""
    others = list(_others(request))
    sessions.end_sessions(others)
    count = len(others)
    words = ngettext("Signed out of %(count)d other session.", "Signed out of %(count)d other sessions.", count)
    messages.success(request, words % {"count": count})
    return redirect("sign-ins")


def _others(request: AuthenticatedRequest) -> QuerySet[UserSession]:
    return sessions.active_sessions(request.user).exclude(session_key=request.session.session_key)
