"""The page of notifications, and what the bell of every page asks for."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.notifications import groups, records, subscriptions
from tickets.notifications.subscriptions import Level

PAGE_SIZE = 50
MAX_LATEST = 20


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def notification_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show all notifications of the user, one entry for a ticket, page by page."""
    page = Paginator(groups.groups_of(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    found = [entry.payload() for entry in groups.entries(request.user, page)]
    return render(request, "tickets/notifications.html", {"page": page, "notifications": found})


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def latest(request: AuthenticatedRequest) -> HttpResponse:
    """Return the latest notifications, one entry for a ticket."""
    found = groups.entries(request.user, groups.groups_of(request.user)[:MAX_LATEST])
    return JsonResponse({"notifications": [entry.payload() for entry in found]})


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def count(request: AuthenticatedRequest) -> HttpResponse:
    """Return how many notifications are unread."""
    return JsonResponse({"unread": records.unread_number(request.user)})


@require_POST
@login_required
def read(request: AuthenticatedRequest) -> HttpResponse:
    """Mark the notifications `id` read, with the `earlier` ones of their tickets; without an id, all."""
    texts = request.POST.getlist("id")
    ids = [UUID(text) for text in texts if _is_uuid(text)]
    records.mark_read(request.user, ids if texts else None, with_earlier="earlier" in request.POST)
    return redirect("notifications:list")


@require_POST
@login_required
def subscribe(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Follow or mute a ticket, or neither without a `level`."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    level = request.POST.get("level", "")
    if level not in ("", *Level.values):
        return HttpResponse(status=422)
    subscriptions.set_level(ticket, by=request.user, level=level)
    return redirect(ticket)


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def colleagues(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return the people that a note on the ticket can mention: its staff, for staff."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    if not policies.is_staff_of(request.user, ticket):
        raise Http404
    people = policies.staff_of(ticket).exclude(pk=request.user.pk)
    return JsonResponse({"colleagues": [{"id": str(person.pk), "name": person.name} for person in people]})


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
