"""What a page saves of what is being written, and what the person's other pages fetch."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from accounts import throttles
from accounts.types import AuthenticatedRequest
from realtime.broadcasting.events import iso
from tickets import policies
from tickets.drafts.forms import DraftForm, NewTicketDraftForm
from tickets.drafts.queries import attached_files, draft_of
from tickets.drafts.saving import OutdatedDraft, save_draft
from tickets.models import Draft, Ticket


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def draft_of_ticket(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return or save the user's draft for a ticket."""
    return _answer(request, get_object_or_404(policies.visible_tickets(request.user), uuid=uuid))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def draft_of_new_ticket(request: AuthenticatedRequest) -> HttpResponse:
    """Return or save the user's draft of a new ticket."""
    return _answer(request, None)


def draft_payload(draft: Draft) -> dict[str, Any]:
    """Return a draft for its author's pages."""
    files = attached_files(draft)
    return {
        "version": draft.version,
        "text": draft.text,
        "is_note": draft.is_internal,
        "values": draft.values,
        "files": [{"id": str(file.pk), "filename": file.filename, "size": file.size} for file in files],
        "updated_at": None if draft.is_empty else iso(draft.updated_at),
    }


def _answer(request: AuthenticatedRequest, ticket: Ticket | None) -> HttpResponse:
    if request.method != "POST":
        throttles.count("read", by=request.user)
        return JsonResponse({"draft": draft_payload(draft_of(request.user, ticket))})
    throttles.count("draft", by=request.user)
    form = DraftForm(request.POST) if ticket is not None else NewTicketDraftForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    if form.cleaned_data["user"] != request.user.pk:
        raise PermissionDenied  # a page of the person who was signed in before
    try:
        saved = save_draft(form.content(), by=request.user, ticket=ticket, base=form.cleaned_data["base"])
    except OutdatedDraft as outdated:
        return JsonResponse({"draft": draft_payload(outdated.stored)}, status=409)
    return JsonResponse({"draft": {"version": saved.version}})
