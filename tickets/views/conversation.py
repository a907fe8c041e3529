"""Parts of a ticket's conversation: earlier replies, and the text of a message as typed."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import throttles
from accounts.types import AuthenticatedRequest
from realtime import Audience
from tickets import payloads, policies
from tickets.models import Reply, Ticket
from tickets.reading.receipts import receipts_of
from tickets.reading.views import receipt_texts
from tickets.splitting.shown import splits_payload
from tickets.views.changes import lines_of, with_changes
from tickets.views.reply_pages import reply_page


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def earlier_replies(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return the replies before a cursor with receipts and the changes between them, and the cursor before them."""
    throttles.count("read", by=request.user)
    ticket = get_object_or_404(policies.visible_tickets(request.user).select_related(*Ticket.RELATED), uuid=uuid)
    audience = policies.audience_of(request.user, ticket) or Audience.PUBLIC
    page = reply_page(request.user, ticket, request.GET)
    receipts = receipt_texts(receipts_of(request.user, ticket, page.replies, opening=False), audience)
    splits = splits_payload(request.user, ticket)
    replies = [
        payloads.reply_payload(reply, audience)
        | {"receipt_html": receipts.get(str(reply.pk), ""), "splits": splits.get(reply.pk, [])}
        for reply in page.replies
    ]
    thread = with_changes(page, replies, lines_of(request.user, ticket, page), audience)
    return JsonResponse({"thread": thread, "earlier": page.earlier})


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def original_opening(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return a ticket's first message as typed."""
    return _as_typed(get_object_or_404(policies.visible_tickets(request.user), uuid=uuid))


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def original_reply(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Return a reply or note as typed."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    return _as_typed(get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id))


def _as_typed(message: Ticket | Reply) -> HttpResponse:
    return HttpResponse(message.text, content_type="text/plain; charset=utf-8")
