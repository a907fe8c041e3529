"""Avatars: SVG images with initials."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.decorators import login_or_token_required
from accounts.models import User
from accounts.payloads import MASKED_COLOR, avatar_color, initials_for
from accounts.types import AuthenticatedRequest


@require_safe
@login_or_token_required
@cache_control(private=True, max_age=86400)
def avatar(request: AuthenticatedRequest, user_id: UUID) -> HttpResponse:
    """Return an SVG with the initials of the name that the current user may see."""
    user = get_object_or_404(User, pk=user_id)
    return _svg(request, avatar_color(request.user, user), initials_for(request.user, user))


@require_safe
@login_or_token_required
@cache_control(private=True, max_age=86400)
def masked_avatar(request: AuthenticatedRequest) -> HttpResponse:
    """Return the avatar of staff whose name is masked, with the letters of the query only."""
    return _svg(request, MASKED_COLOR, request.GET.get("letters", "")[:2])


def _svg(request: AuthenticatedRequest, color: str, letters: str) -> HttpResponse:
    context = {"avatar_color": color, "initials": letters}
    return render(request, "accounts/avatar.svg", context, content_type="image/svg+xml")
