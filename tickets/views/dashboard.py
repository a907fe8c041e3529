"""The home page: tickets that need attention, and recent activity."""

from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.policies import staffed_offices
from accounts.types import AuthenticatedRequest
from realtime import Audience
from tickets import list_queries, payloads, policies
from tickets.counts import counts
from tickets.models import Status, Ticket
from tickets.reading import with_unread
from tickets.views.lists import rows

MAX_TICKETS = 10
MAX_ENTRIES = 15


@require_safe
@login_required
def home(request: AuthenticatedRequest) -> HttpResponse:
    """Show customers their tickets, and staff their assigned tickets, offices and activity."""
    ticket_filter = (
        list_queries.TicketFilter(views=("all",))
        if request.user.is_customer
        else list_queries.TicketFilter(assignees=("me",))
    )
    tickets = list_queries.filter_tickets(request.user, ticket_filter).select_related(*Ticket.RELATED)
    tickets = tickets.prefetch_related(*policies.shown_with(request.user))
    numbers = counts(request.user, list(Status.objects.all()))
    context = {
        "rows": rows(list(with_unread(tickets, request.user)[:MAX_TICKETS])),
        "max_tickets": MAX_TICKETS,
        "numbers": numbers,
    }
    if request.user.is_customer:
        return render(request, "dashboard/customer.html", context)
    offices = [
        {"office": office, "number": numbers[f"office-{office.pk}"]} for office in staffed_offices(request.user)
    ]
    staff_context = {"offices": offices, "activity": _activity(request), "max_entries": MAX_ENTRIES}
    return render(request, "dashboard/staff.html", context | staff_context)


def _activity(request: AuthenticatedRequest) -> list[dict[str, Any]]:
    """Return the latest timeline entries, consecutive ones of one ticket grouped."""
    entries = policies.visible_activity(request.user)[:MAX_ENTRIES]
    return [
        {"ticket": ticket, "lines": [_entry(entry) for entry in group]}
        for ticket, group in groupby(entries, key=lambda entry: entry.ticket)
    ]


def _entry(entry: Any) -> dict[str, Any]:
    audience = Audience.STAFF if entry.is_staffed else Audience.PUBLIC
    return payloads.timeline_payload(entry, entry.ticket, audience)
