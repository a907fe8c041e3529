"""The related tickets on a ticket's page."""

from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts import throttles
from accounts.types import AuthenticatedRequest
from tickets import payloads, policies
from tickets.links import services
from tickets.views.parameters import changeable_ticket
from tickets.views.responses import call_service, wants_json
from tickets.views.tickets import answer_panel_form


class LinkForm(forms.Form):
    """The reference of a ticket to link, or the address of its page."""

    ticket = forms.CharField(
        max_length=400, error_messages={"required": _("Enter the reference of a ticket, such as K7F-Q2MD.")}
    )


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def related_tickets(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return the related tickets that the user may see."""
    found = policies.linked_tickets(request.user, changeable_ticket(request, uuid))
    return JsonResponse({"related": [payloads.related_payload(ticket) for ticket in found]})


@require_POST
@login_required
def add(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Link the named ticket."""
    ticket, form = changeable_ticket(request, uuid), LinkForm(request.POST)
    if form.is_valid() and throttles.permits(form, "ticket", by=request.user):
        call_service(form, services.link_named_ticket, ticket, form.cleaned_data["ticket"], by=request.user)
    return answer_panel_form(request, ticket, form, "link_form")


@require_POST
@login_required
def remove(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Remove the link to the ticket with the UUID `ticket`."""
    ticket = changeable_ticket(request, uuid)
    related = {str(each.uuid): each for each in policies.linked_tickets(request.user, ticket)}
    other = related.get(request.POST.get("ticket", ""))
    if other is not None:  # else a colleague removed it meanwhile
        services.unlink_tickets(ticket, other, by=request.user)
    return HttpResponse(status=204) if wants_json(request) else redirect(ticket)
