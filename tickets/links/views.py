"""The related tickets on a ticket's page."""

from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts import throttles
from accounts.types import AuthenticatedRequest
from tickets import payloads, policies
from tickets.forms.tickets import ReplyForm
from tickets.links import services
from tickets.models import Ticket
from tickets.views.responses import call_service, error_response, wants_json
from tickets.views.tickets import render_ticket


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
    found = policies.linked_tickets(request.user, _fetch(request, uuid))
    return JsonResponse({"related": [payloads.related_payload(ticket) for ticket in found]})


@require_POST
@login_required
def add(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Link the named ticket."""
    ticket, form = _fetch(request, uuid), LinkForm(request.POST)
    if form.is_valid() and throttles.permits(form, "ticket", by=request.user):
        call_service(form, services.link_named_ticket, ticket, form.cleaned_data["ticket"], by=request.user)
    if not form.errors:
        return HttpResponse(status=204) if wants_json(request) else redirect(ticket)
    answer = error_response(request, form) or render_ticket(
        request, _fetch(request, uuid), ReplyForm(user=request.user), status=422, refused={"link_form": form}
    )
    return throttles.with_retry_after(answer, *throttles.errors_of(form))


@require_POST
@login_required
def remove(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Remove the link to the ticket with the UUID `ticket`."""
    ticket = _fetch(request, uuid)
    related = {str(each.uuid): each for each in policies.linked_tickets(request.user, ticket)}
    other = related.get(request.POST.get("ticket", ""))
    if other is not None:  # else a colleague removed it meanwhile
        services.unlink_tickets(ticket, other, by=request.user)
    return HttpResponse(status=204) if wants_json(request) else redirect(ticket)


def _fetch(request: AuthenticatedRequest, uuid: UUID) -> Ticket:
    """Return a ticket that the user may change: 404 for one that they do not see, 403 for others."""
    ticket = get_object_or_404(policies.visible_tickets(request.user).select_related(*Ticket.RELATED), uuid=uuid)
    if not policies.can_change(request.user, ticket):
        raise PermissionDenied
    return ticket
