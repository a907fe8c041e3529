"""Avatars: SVG images with initials."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.payloads import initials_for
from accounts.types import AuthenticatedRequest


@require_GET
@login_required
@cache_control(private=True, max_age=86400)
def avatar(request: AuthenticatedRequest, user_id: UUID) -> HttpResponse:
    """Return an SVG with the initials of the name that the current user may see."""
    user = get_object_or_404(User, pk=user_id)
    context = {"avatar_color": user.avatar_color, "initials": initials_for(request.user, user)}
    return render(request, "accounts/avatar.svg", context, content_type="image/svg+xml")
