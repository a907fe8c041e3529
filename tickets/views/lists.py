"""The list of tickets."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from realtime.channels import Audience
from tickets import briefs, policies
from tickets.models import Status, Ticket

PAGE_SIZE = 50


@require_GET
@login_required
def ticket_list(request: SignedInRequest) -> HttpResponse:
    """List the tickets that the person may see, newest change first, in the chosen view."""
    statuses = list(Status.objects.all())
    view = request.GET.get("status", "active")
    chosen = next((status for status in statuses if str(status.pk) == view), None)
    tickets = _in_view(policies.listed_tickets(request.user), view, chosen).select_related(*Ticket.RELATED)
    page = Paginator(tickets, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [_row(ticket) for ticket in page]
    context = {"rows": rows, "page": page, "statuses": statuses, "chosen": chosen, "show_all": view == "all"}
    return render(request, "tickets/list.html", context)


def _in_view(tickets: QuerySet[Ticket], view: str, chosen: Status | None) -> QuerySet[Ticket]:
    if chosen is not None:
        return tickets.filter(status=chosen)
    return tickets if view == "all" else tickets.filter(status__is_closed=False)


def _row(ticket: Any) -> dict[str, Any]:
    """Return a listed ticket as its reader may know it; `is_staffed` is the list's annotation."""
    audience = Audience.STAFF if ticket.is_staffed else Audience.PUBLIC
    return {"ticket": briefs.ticket_brief(ticket, audience), "seq": ticket.seq(audience), "audience": audience}
