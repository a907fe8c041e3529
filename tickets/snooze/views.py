"""The snooze of a ticket on its page."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.types import AuthenticatedRequest
from tickets import policies, services
from tickets.forms.tickets import ReplyForm
from tickets.models import Ticket
from tickets.snooze.forms import SnoozeForm
from tickets.views.responses import call_service, error_response, wants_json
from tickets.views.tickets import render_ticket


@require_POST
@login_required
def snooze(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Snooze the ticket until the chosen time, or end its snooze."""
    tickets = policies.visible_tickets(request.user).select_related(*Ticket.RELATED)
    ticket = get_object_or_404(tickets, uuid=uuid)
    if not policies.can_change(request.user, ticket):
        raise PermissionDenied
    form = SnoozeForm(request.POST)
    if form.is_valid():
        values = {"snoozed_until": form.until}
        call_service(form, services.update_ticket, ticket, by=request.user, values=values)
    if not form.errors:
        return HttpResponse(status=204) if wants_json(request) else redirect(ticket)
    return error_response(request, form) or render_ticket(
        request, ticket, ReplyForm(user=request.user), status=422, refused={"snooze_form": form}
    )
