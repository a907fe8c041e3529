"""The snooze of a ticket on its page."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from accounts.types import AuthenticatedRequest
from tickets import services
from tickets.snooze.forms import SnoozeForm
from tickets.views.parameters import changeable_ticket
from tickets.views.responses import call_service
from tickets.views.tickets import answer_panel_form


@require_POST
@login_required
def snooze(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Snooze the ticket until the chosen time, or end its snooze."""
    ticket = changeable_ticket(request, uuid)
    form = SnoozeForm(request.POST)
    if form.is_valid():
        values = {"snoozed_until": form.until}
        call_service(form, services.update_ticket, ticket, by=request.user, values=values)
    return answer_panel_form(request, ticket, form, "snooze_form")
