"""Pages: fetch through a policy, validate, call a verb, render."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms import BoundField, Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.requests import SignedInRequest
from realtime.channels import Audience
from tickets import briefs, policies, services
from tickets.forms import ChangeForm, ReplyForm, TicketForm
from tickets.models import Priority, Status, Ticket

PAGE_SIZE = 50
RELATED = ("status", "priority", "office", "creator", "assigned_to")


@require_GET
@login_required
def ticket_list(request: SignedInRequest) -> HttpResponse:
    """List the tickets that the person may see, newest change first, in the chosen view."""
    statuses = list(Status.objects.all())
    view = request.GET.get("status", "active")
    chosen = next((status for status in statuses if str(status.pk) == view), None)
    tickets = _in_view(policies.listed_tickets(request.user), view, chosen).select_related(*RELATED)
    page = Paginator(tickets, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [_row(ticket) for ticket in page]
    context = {"rows": rows, "page": page, "statuses": statuses, "chosen": chosen, "show_all": view == "all"}
    return render(request, "tickets/list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def new_ticket(request: SignedInRequest) -> HttpResponse:
    """Ask for, and open, a ticket."""
    form = TicketForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        ticket = _attempt(form, services.open_ticket, by=request.user, **form.cleaned_data)
        if ticket is not None:
            return redirect(ticket)
    return render(request, "tickets/new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@login_required
def ticket_page(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Show the conversation, and to staff what they can change."""
    return _render_ticket(request, _fetch(request, uuid), ReplyForm())


@require_POST
@login_required
def create_reply(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Add a reply or a note."""
    ticket = _fetch(request, uuid)
    form = ReplyForm(request.POST)
    reply = None
    if form.is_valid():
        reply = _attempt(form, services.add_reply, ticket, by=request.user, **form.cleaned_data)
    if reply is None:
        return _refuse(request, form) or _render_ticket(request, ticket, form, status=422)
    if _wants_json(request):
        return JsonResponse({"id": str(reply.pk)}, status=201)
    return redirect(f"{ticket.get_absolute_url()}#reply-{reply.pk}")


@require_GET
@login_required
@cache_control(private=True, no_store=True)
def reply_data(request: SignedInRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Return one reply whole: an event that would have been too large names it only."""
    replies = policies.visible_replies(request.user, _fetch(request, uuid))
    return JsonResponse({"reply": briefs.reply_brief(get_object_or_404(replies, pk=reply_id))})


@require_POST
@login_required
def change_ticket(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Change the properties that were sent, all or none."""
    ticket = _fetch(request, uuid)
    if not policies.can_change(request.user, ticket):
        raise PermissionDenied
    form = ChangeForm(request.POST, ticket=ticket)
    if form.is_valid():
        _attempt(form, form.apply, ticket, by=request.user)
    if form.errors:
        return _refuse(request, form) or _render_ticket(request, ticket, ReplyForm(), status=422, changes=form)
    return HttpResponse(status=204) if _wants_json(request) else redirect(ticket)


@require_GET
@cache_control(public=True, max_age=300)
def palette(request: HttpRequest) -> HttpResponse:
    """Give statuses and priorities their colours: a stylesheet, since the policy allows no style attributes."""
    choices = {"statuses": Status.objects.all(), "priorities": Priority.objects.all()}
    return render(request, "tickets/palette.css", choices, content_type="text/css")


def _fetch(request: SignedInRequest, uuid: UUID) -> Ticket:
    return get_object_or_404(policies.visible_tickets(request.user).select_related(*RELATED), uuid=uuid)


def _in_view(tickets: QuerySet[Ticket], view: str, chosen: Status | None) -> QuerySet[Ticket]:
    if chosen is not None:
        return tickets.filter(status=chosen)
    return tickets if view == "all" else tickets.filter(status__is_closed=False)


def _row(ticket: Any) -> dict[str, Any]:
    """Return a listed ticket as its reader may know it; `is_staffed` is the list's annotation."""
    audience = Audience.STAFF if ticket.is_staffed else Audience.PUBLIC
    return {"ticket": briefs.ticket_brief(ticket, audience), "seq": ticket.seq(audience), "audience": audience}


def _render_ticket(
    request: SignedInRequest,
    ticket: Ticket,
    form: ReplyForm,
    *,
    status: int = 200,
    changes: ChangeForm | None = None,
) -> HttpResponse:
    user = request.user
    audience = policies.audience_of(user, ticket)
    if audience is None:
        return render(request, "404.html", status=404)
    until = Q(number__lte=ticket.staff_seq)  # what is younger than `seq` comes as an event
    context = {
        "ticket": ticket,
        "brief": briefs.ticket_brief(ticket, audience),
        "seq": ticket.seq(audience),
        "is_staff": audience is Audience.STAFF,
        "audience": audience,
        "replies": [briefs.reply_brief(reply) for reply in policies.visible_replies(user, ticket).filter(until)],
        "timeline": [
            briefs.timeline_brief(line, audience) for line in policies.visible_timeline(user, ticket).filter(until)
        ],
        "form": form,
        "properties": _properties(ticket, changes),
    }
    return render(request, "tickets/ticket.html", context, status=status)


def _properties(ticket: Ticket, refused: ChangeForm | None) -> list[BoundField]:
    """Return the field of every property, one that was refused as it was sent."""
    sent = {field.name: field for field in refused or ()}
    return [sent.get(field.name, field) for field in ChangeForm(ticket=ticket)]


def _attempt(form: Form, verb: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a verb, all or nothing; what it finds invalid becomes the form's errors."""
    try:
        with transaction.atomic():
            return verb(*args, **kwargs)
    except ValidationError as error:
        form.add_error(None, error)
        return None


def _refuse(request: HttpRequest, form: Form) -> HttpResponse | None:
    return JsonResponse({"errors": form.errors}, status=422) if _wants_json(request) else None


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
