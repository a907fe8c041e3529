"""Tags on a ticket's page, and the names that the pages of staff offer."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.types import AuthenticatedRequest
from tickets.models import Tag
from tickets.tags import services
from tickets.tags.forms import AddTagForm
from tickets.views.parameters import changeable_ticket
from tickets.views.responses import call_service, wants_json
from tickets.views.settings.access import for_staff
from tickets.views.tickets import answer_panel_form


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
    ticket = changeable_ticket(request, uuid)
    form = AddTagForm(request.POST)
    if form.is_valid():
        call_service(form, services.add_tag, ticket, form.cleaned_data["tag"], by=request.user)
    return answer_panel_form(request, ticket, form, "tag_form")


@require_POST
@login_required
def remove(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Take the tag with the key `tag` off the ticket."""
    ticket = changeable_ticket(request, uuid)
    key = request.POST.get("tag", "")
    tag = Tag.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 10 else None
    if tag is not None:  # else it was deleted meanwhile
        services.remove_tag(ticket, tag, by=request.user)
    return HttpResponse(status=204) if wants_json(request) else redirect(ticket)
