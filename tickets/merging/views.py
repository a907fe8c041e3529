"""Pages that merge tickets, and what a ticket's page shows of merges."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.forms import Form
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import throttles
from accounts.types import AuthenticatedRequest
from realtime import Audience
from tickets import policies
from tickets.merging import services
from tickets.merging.forms import MergeForm
from tickets.merging.shown import merge_payload, messages_payload
from tickets.models import Ticket
from tickets.views.parameters import visible_ticket
from tickets.views.responses import call_service
from tickets.views.tickets import answer_panel_form


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def merge(request: AuthenticatedRequest) -> HttpResponse:
    """Choose the ticket that the selected ones are merged into, show what that means, and merge them."""
    if request.user.is_customer:
        raise PermissionDenied
    if request.method == "POST" and "confirmed" not in request.POST:  # from the list, with the selection only
        selection = urlencode({"tickets": request.POST.getlist("tickets")}, doseq=True)
        return redirect(f"{reverse('tickets:merge')}?{selection}")
    form = MergeForm(request.POST if request.method == "POST" else request.GET, user=request.user)
    if not form.selected:
        raise Http404
    if form.is_choosing:
        return _page(request, form)
    if not form.is_valid() or not throttles.permits(form, "ticket", by=request.user):
        return _page(request, form, status=422)
    if request.method == "POST" and form.target is not None and _merged(request, form, form.target):
        return redirect(form.target)
    return _page(request, form, status=422 if form.errors else 200)


@require_POST
@login_required
def undo(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Undo the merge of the ticket `ticket`: that of the page, or one that was merged into it."""
    ticket, form = visible_ticket(request, uuid), Form({})
    merged = [ticket, *policies.merged_tickets(request.user, ticket)]
    named = next((each for each in merged if str(each.uuid) == request.POST.get("ticket")), None)
    if named is not None:  # else a colleague undid it meanwhile
        call_service(form, services.undo_merge, named, by=request.user)
    return answer_panel_form(request, visible_ticket(request, uuid), form, "merge_form")


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def merges(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return where the ticket goes on and what was merged into it, as far as the user may see it."""
    ticket = visible_ticket(request, uuid)
    audience = policies.audience_of(request.user, ticket) or Audience.PUBLIC
    return JsonResponse({"merge": merge_payload(request.user, ticket, audience)})


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def merged_messages(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return the messages of a ticket that was merged, under its own policy."""
    throttles.count("read", by=request.user)
    return JsonResponse(messages_payload(request.user, visible_ticket(request, uuid)))


def _merged(request: AuthenticatedRequest, form: MergeForm, target: Ticket) -> bool:
    """Merge the tickets; return False if that was refused, with the reason in the form."""
    tickets = form.tickets
    values = {"by": request.user, "add_customers": form.cleaned_data["add_customers"]}
    try:
        call_service(form, services.merge_tickets, tickets, target, **values)
    except ObjectDoesNotExist:
        form.add_error(None, _("A selected ticket no longer exists."))
    if form.errors:
        return False
    number = len(tickets)
    text = ngettext(
        "%(number)d ticket was merged into %(ticket)s.", "%(number)d tickets were merged into %(ticket)s.", number
    )
    messages.success(request, text % {"number": number, "ticket": target})
    return True


def _page(request: AuthenticatedRequest, form: MergeForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "preview": _preview(form) if form.target is not None and form.tickets else None}
    page = render(request, "tickets/merge.html", context, status=status)
    return throttles.with_retry_after(page, *throttles.errors_of(form))


def _preview(form: MergeForm) -> dict[str, Any]:
    """Return who will see what."""
    target, tickets = form.target, form.tickets
    customers = {ticket.creator_id: ticket.creator for ticket in tickets}
    reads = {key: policies.audience_of(person, target) is not None for key, person in customers.items()}  # type: ignore[arg-type]
    return {
        "target": target,
        "tickets": tickets,
        "readers": [customers[key] for key, is_reader in reads.items() if is_reader],
        "strangers": [customers[key] for key, is_reader in reads.items() if not is_reader],
        "has_other_offices": any(_differ(ticket, target) for ticket in tickets),
        "is_target_closed": target is not None and target.status.is_closed,
    }


def _differ(ticket: Ticket, target: Ticket | None) -> bool:
    """Return whether not the same staff read both tickets."""
    return target is not None and ticket.office_id != target.office_id
