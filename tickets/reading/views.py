"""What a page reports as read, and what lists and tabs show of it."""

from base64 import b64decode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts import throttles
from accounts.models import User
from accounts.types import AuthenticatedRequest
from realtime import Audience
from realtime.utils import encryption
from tickets import policies
from tickets.models import Reply, Ticket
from tickets.reading.deliveries import mark_delivered
from tickets.reading.latest import latest_messages
from tickets.reading.marks import mark_read, mark_unread
from tickets.reading.queries import unread_number, with_unread
from tickets.reading.receipts import Receipts, receipts_of
from tickets.views.parameters import named_tickets, to_uuid

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PURPOSE = "tickets.read"
MAX_RECEIPTS = 200  # of the messages that a page shows, the latest


@require_POST
@login_required
def read(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Mark a ticket read up to the message `reply` that was on the screen; without it, its first message."""
    throttles.count("read", by=request.user)
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    mark_read(ticket, by=request.user, up_to=_named(request.user, ticket, request.POST.get("reply", "")))
    return HttpResponse(status=204)


@require_POST
@login_required
def delivered(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Record that a page has received the message `reply`, which is not on the screen."""
    throttles.count("read", by=request.user)
    ticket = _with_people(request.user, uuid)
    mark_delivered(
        get_object_or_404(_replies(request.user, ticket), pk=to_uuid(request.POST.get("reply", ""))), by=request.user
    )
    return HttpResponse(status=204)


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def receipts(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return what became of the messages from `oldest` on, as HTML by the id of each; "opening" is the first one."""
    throttles.count("read", by=request.user)
    ticket = _with_people(request.user, uuid)
    replies = _replies(request.user, ticket)
    oldest = _named(request.user, ticket, request.GET.get("oldest", ""))
    if oldest is not None:
        replies = replies.filter(number__gte=oldest.number)
    found = receipts_of(request.user, ticket, replies.order_by("-number")[:MAX_RECEIPTS])
    return JsonResponse({"receipts": receipt_texts(found, policies.audience_of(request.user, ticket))})


def receipt_texts(receipts: Receipts, audience: Audience | None) -> dict[str, str]:
    """Return receipts as HTML, by the id of each message; "opening" is the first one."""
    is_staff = audience is Audience.STAFF
    return {
        "opening" if key is None else str(key): render_to_string(
            "tickets/conversation/_receipt.html", {"receipt": receipt, "is_staff": is_staff}
        ).strip()
        for key, receipt in receipts.items()
    }


@require_POST
@login_required
def unread(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Mark the latest message unread, and go back to the list."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    mark_unread(ticket, by=request.user)
    messages.success(request, _("Marked as unread."))
    return redirect("tickets:list")


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def read_without_scripts(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Mark read what a page without scripts shows: the page asks for this picture with a token of its own."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    text = encryption.decrypt(request.GET.get("shown", ""), purpose=PURPOSE)
    if text is not None and request.method == "GET":
        user, of_ticket, reply = text.split(" ")
        if (user, of_ticket) == (str(request.user.pk), str(uuid)):
            mark_read(ticket, by=request.user, up_to=_named(request.user, ticket, reply))
    return HttpResponse(PIXEL, content_type="image/gif")


def token_of_page(user: User, ticket: Ticket, last: Reply | None) -> str:
    """Return the token for `read_without_scripts`: other sites cannot make one."""
    return encryption.encrypt(f"{user.pk} {ticket.uuid} {last.pk if last else ''}", purpose=PURPOSE)


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def unread_count(request: AuthenticatedRequest) -> HttpResponse:
    """Return the number of unread tickets that concern the user."""
    return JsonResponse({"unread": unread_number(request.user)})


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def rows(request: AuthenticatedRequest) -> HttpResponse:
    """Return what lists show of tickets beside their payload: the latest message, and whether it is unread."""
    tickets = (
        policies.listed_tickets(request.user)
        .filter(uuid__in=named_tickets(request))
        .select_related("office", "creator")
    )
    found = list(with_unread(tickets, request.user))
    latest = latest_messages(found)
    return JsonResponse(
        {"rows": {str(ticket.uuid): {"is_unread": ticket.is_unread, "last": latest[ticket.pk]} for ticket in found}}
    )


def _with_people(user: User, uuid: UUID) -> Ticket:
    return get_object_or_404(policies.visible_tickets(user).select_related("office", "creator"), uuid=uuid)


def _replies(user: User, ticket: Ticket) -> QuerySet[Reply]:
    return policies.visible_replies(user, ticket).prefetch_related(None)


def _named(user: User, ticket: Ticket, reply: str) -> Reply | None:
    """Return the message; 404 if the user may not read it."""
    if not reply:
        return None
    return get_object_or_404(policies.visible_replies(user, ticket), pk=to_uuid(reply))
