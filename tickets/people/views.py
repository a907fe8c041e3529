"""Add and remove participants on a ticket's page."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts import throttles
from accounts.models import User
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.models import Ticket, participants_of
from tickets.people import participants
from tickets.views.parameters import visible_ticket
from tickets.views.responses import call_service, wants_json
from tickets.views.tickets import answer_panel_form


class ParticipantForm(forms.Form):
    """The person to add, as `customers.named_customer` reads it."""

    person = forms.CharField(
        label=gettext_lazy("Add a participant"),
        max_length=400,
        error_messages={"required": gettext_lazy("Enter a name or an email address.")},
    )


@require_POST
@login_required
def add(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Add the named person, who may be new."""
    ticket = visible_ticket(request, uuid)
    if not policies.can_add_participant(request.user, ticket):
        raise PermissionDenied
    form = ParticipantForm(request.POST)
    if form.is_valid() and throttles.permits(form, "ticket", by=request.user):
        call_service(form, participants.add_named_participant, ticket, form.cleaned_data["person"], by=request.user)
    return answer_panel_form(request, ticket, form, "participant_form")


@require_POST
@login_required
def remove(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Remove the participant `person`; without one, the user leaves the ticket."""
    ticket = visible_ticket(request, uuid)
    person = request.user if "person" not in request.POST else _person(ticket, request.POST["person"])
    participants.remove_participant(ticket, by=request.user, person=person)
    if wants_json(request):
        return HttpResponse(status=204)
    if policies.visible_tickets(request.user).filter(pk=ticket.pk).exists():
        return redirect(ticket)
    messages.success(request, _("You no longer take part in “%(subject)s”.") % {"subject": ticket.subject})
    return redirect("tickets:list")


def _person(ticket: Ticket, key: str) -> User:
    """Return a participant; 404 for other people, so that the answer does not reveal them."""
    found = next((each.user for each in participants_of(ticket) if str(each.user_id) == key), None)
    if found is None:
        raise Http404
    return found
