"""The first page: what waits for the person, and what has just happened."""

from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.policies import staffed_offices
from accounts.types import AuthenticatedRequest
from realtime import Audience
from tickets import list_queries, payloads, policies
from tickets.models import Status, Ticket
from tickets.views.lists import row

MOST_TICKETS = 10
MOST_LINES = 15


@require_GET
@login_required
def home(request: AuthenticatedRequest) -> HttpResponse:
    """Show a customer his tickets, and staff their work."""
    wanted = (
        list_queries.TicketFilter(view="all")
        if request.user.is_customer
        else list_queries.TicketFilter(assignee="me")
    )
    tickets = list_queries.filter_tickets(request.user, wanted).select_related(*Ticket.RELATED)
    counts = list_queries.counts(request.user, list(Status.objects.all()))
    context = {
        "rows": [row(ticket) for ticket in tickets[:MOST_TICKETS]],
        "most_tickets": MOST_TICKETS,
        "numbers": counts,
    }
    if request.user.is_customer:
        return render(request, "dashboard/customer.html", context)
    offices = [
        {"office": office, "number": counts[f"office-{office.pk}"]} for office in staffed_offices(request.user)
    ]
    staffs = {"offices": offices, "activity": _activity(request), "most_lines": MOST_LINES}
    return render(request, "dashboard/staff.html", context | staffs)


def _activity(request: AuthenticatedRequest) -> list[dict[str, Any]]:
    """Return the latest lines, those of one ticket that follow one another together."""
    lines = policies.visible_activity(request.user)[:MOST_LINES]
    return [
        {"ticket": ticket, "lines": [_line(line) for line in together]}
        for ticket, together in groupby(lines, key=lambda line: line.ticket)
    ]


def _line(line: Any) -> dict[str, Any]:
    audience = Audience.STAFF if line.is_staffed else Audience.PUBLIC
    return payloads.timeline_payload(line, line.ticket, audience)
