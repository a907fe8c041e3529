"""Tags on a ticket's page, and the names that the pages of staff offer."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.forms.tickets import ReplyForm
from tickets.models import Tag, Ticket
from tickets.tags import services
from tickets.tags.forms import AddTagForm
from tickets.views.responses import call_service, error_response, wants_json
from tickets.views.settings.access import for_staff
from tickets.views.tickets import render_ticket


@require_safe
@for_staff
@cache_control(private=True, no_store=True)
def tag_names(request: AuthenticatedRequest) -> HttpResponse:
    """Return the names of all tags."""
    return JsonResponse({"tags": list(Tag.objects.values_list("name", flat=True))})


@require_POST
@login_required
def add(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Put the named tag, which may be new, on the ticket."""
    ticket = _fetch(request, uuid)
    form = AddTagForm(request.POST)
    if form.is_valid():
        call_service(form, services.add_tag, ticket, form.cleaned_data["tag"], by=request.user)
    if not form.errors:
        return HttpResponse(status=204) if wants_json(request) else redirect(ticket)
    return error_response(request, form) or render_ticket(
        request, _fetch(request, uuid), ReplyForm(user=request.user), status=422, refused={"tag_form": form}
    )


@require_POST
@login_required
def remove(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Take the tag with the key `tag` off the ticket."""
    ticket = _fetch(request, uuid)
    key = request.POST.get("tag", "")
    tag = Tag.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 10 else None
    if tag is not None:  # else it was deleted meanwhile
        services.remove_tag(ticket, tag, by=request.user)
    return HttpResponse(status=204) if wants_json(request) else redirect(ticket)


def _fetch(request: AuthenticatedRequest, uuid: UUID) -> Ticket:
    """Return a ticket that the user may change: 404 for one that they do not see, 403 for others."""
    ticket = get_object_or_404(policies.visible_tickets(request.user).select_related(*Ticket.RELATED), uuid=uuid)
    if not policies.can_change(request.user, ticket):
        raise PermissionDenied
    return ticket
