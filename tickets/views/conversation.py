"""Parts of a ticket's conversation: the text of a message as typed."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.models import Reply, Ticket


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def original_opening(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return a ticket's first message as typed."""
    return _as_typed(get_object_or_404(policies.visible_tickets(request.user), uuid=uuid))


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def original_reply(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Return a reply or note as typed."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    return _as_typed(get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id))


def _as_typed(message: Ticket | Reply) -> HttpResponse:
    return HttpResponse(message.text, content_type="text/plain; charset=utf-8")
