"""Saved replies in the composer of a ticket."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.configuration import saved_replies
from tickets.configuration.variables import fill
from tickets.models import Ticket


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def list_for_ticket(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return {saved_replies: [{name, text, used_url}]}, the most used first; `text` is filled in for the ticket."""
    ticket = _fetch(request, uuid)
    found = policies.usable_saved_replies(request.user).order_by("-uses", "name", "pk")
    rows = [
        {
            "name": saved.name,
            "text": fill(saved.text, ticket, by=request.user),
            "used_url": reverse("tickets:saved-reply-used", args=[saved.pk]),
        }
        for saved in found
    ]
    return JsonResponse({"saved_replies": rows})


@require_POST
@login_required
def record_use(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Count the use of a saved reply."""
    saved = get_object_or_404(policies.usable_saved_replies(request.user), pk=pk)
    saved_replies.record_use(saved, by=request.user)
    return HttpResponse(status=204)


def _fetch(request: AuthenticatedRequest, uuid: UUID) -> Ticket:
    tickets = policies.visible_tickets(request.user).select_related(*Ticket.RELATED)
    ticket = get_object_or_404(tickets, uuid=uuid)
    if not policies.is_staff_of(request.user, ticket):
        raise Http404
    return ticket
