"""Avatars: initials on a coloured ground, drawn by our own server."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from accounts.models import User


@require_GET
@login_required
@cache_control(private=True, max_age=86400)
def avatar(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Draw a person's initials."""
    person = get_object_or_404(User, pk=user_id)
    return render(request, "accounts/avatar.svg", {"person": person}, content_type="image/svg+xml")
