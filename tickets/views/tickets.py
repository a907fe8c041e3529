"""The pages of one ticket."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import BaseForm, BoundField
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import throttles
from accounts.models import User
from accounts.types import AuthenticatedRequest
from realtime import Audience
from tickets import payloads, policies, services
from tickets.drafts import draft_of
from tickets.drafts.views import draft_payload
from tickets.forms.choices import ListChoices
from tickets.forms.tickets import AttachmentsForm, ChangeForm, ReplyForm, TicketForm, VisibilityForm
from tickets.macros.applying import ApplyForm
from tickets.merging.shown import merge_payload
from tickets.models import Priority, Reply, Status, Ticket, participants_of
from tickets.people.customers import card_of
from tickets.reading import reading_of
from tickets.reading.receipts import receipts_of
from tickets.reading.views import token_of_page
from tickets.snooze.forms import SnoozeForm
from tickets.snooze.times import NAMES as SNOOZE_TIMES
from tickets.splitting.shown import splits_payload
from tickets.unseen import MAX_SHOWN, latest_of, latest_shown, unseen_replies
from tickets.views.changes import activity_of, lines_of, with_changes
from tickets.views.list_place import place_in_list
from tickets.views.parameters import changeable_ticket, visible_ticket
from tickets.views.quotes import begin_with_quote
from tickets.views.reply_pages import ReplyPage, reply_page
from tickets.views.responses import call_service, error_response, wants_json


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_ticket(request: AuthenticatedRequest) -> HttpResponse:
    """Show the form of a new ticket, or open it."""
    form = TicketForm(request, user=request.user)
    if request.method == "POST" and form.is_valid() and throttles.permits(form, "ticket", by=request.user):
        ticket = call_service(form, form.open, by=request.user)
        if ticket is not None:
            if request.user.is_customer:
                messages.success(request, _("We have received your request. You will find our reply here."))
            return redirect(ticket)
    if form.is_already_submitted:
        form.renew()
    draft = draft_of(request.user, None)
    form.begin_with(draft)
    context = {"form": form, "draft": draft_payload(draft)}
    page = render(request, "tickets/new.html", context, status=_status_of(form))
    return throttles.with_retry_after(page, *throttles.errors_of(form))


@require_safe
@login_required
def ticket_page(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Show the conversation and, for staff, the editable properties."""
    throttles.count("read", by=request.user)
    return render_ticket(request, visible_ticket(request, uuid), ReplyForm(user=request.user))


@require_POST
@login_required
def create_reply(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Add a reply or a note."""
    ticket = visible_ticket(request, uuid)
    form = ReplyForm(request, user=request.user)
    reply = following = None
    if form.is_valid() and throttles.permits(form, "reply", by=request.user):
        following = _following(request, ticket, form)  # before the reply moves the ticket in the list
        reply = call_service(form, services.add_reply, ticket, by=request.user, **form.arguments())
    if form.is_already_submitted:
        return _already_submitted(request, ticket, form)
    if form.is_stopped:
        return _unseen_messages(request, ticket, form)
    if reply is None:
        answer = error_response(request, form) or render_ticket(request, ticket, form, status=422)
        return throttles.with_retry_after(answer, *throttles.errors_of(form))
    if following is not None:
        messages.success(request, _("Your reply to %(ticket)s was sent.") % {"ticket": ticket})
    if wants_json(request):
        return JsonResponse({"id": str(reply.pk), "following": following}, status=201)
    return redirect(following or f"{ticket.get_absolute_url()}#reply-{reply.pk}")


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def reply_data(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Return one reply in full; live events omit a message that is too large."""
    ticket = visible_ticket(request, uuid)
    reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id)
    audience = policies.audience_of(request.user, ticket) or Audience.PUBLIC
    return JsonResponse({"reply": payloads.reply_payload(reply, audience)})


@require_POST
@login_required
def change_visibility(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Make a note public, or a reply internal."""
    ticket = visible_ticket(request, uuid)
    form = VisibilityForm(request.POST)
    if not form.is_valid():
        return error_response(request, form) or render_ticket(
            request, ticket, ReplyForm(user=request.user), status=422
        )
    reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=form.cleaned_data["reply"])
    try:
        services.change_visibility(reply, by=request.user, **form.arguments())
    except services.Stale:
        return _visibility_conflict(request, ticket)
    return HttpResponse(status=204) if wants_json(request) else redirect(_permalink(ticket, reply))


@require_POST
@login_required
def change_ticket(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Change the submitted properties, all or none."""
    ticket = changeable_ticket(request, uuid)
    form = ChangeForm(request.POST, ticket=ticket)
    if form.is_valid():
        call_service(form, form.apply, ticket, by=request.user)
    if form.errors:
        return _change_error(request, visible_ticket(request, uuid), form)
    return HttpResponse(status=204) if wants_json(request) else redirect(ticket)


@require_safe
@cache_control(public=True, max_age=300)
def palette(request: HttpRequest) -> HttpResponse:
    """Return a stylesheet with the colours of statuses and priorities; the CSP allows no style attributes."""
    choices = {"statuses": Status.objects.all(), "priorities": Priority.objects.all()}
    return render(request, "tickets/palette.css", choices, content_type="text/css")


def _following(request: AuthenticatedRequest, ticket: Ticket, form: ReplyForm) -> str | None:
    """Return the address that a reply leads to; None if its author stays."""
    place = None if form.cleaned_data["internal"] else place_in_list(request.user, ticket, request.POST.get("list"))
    return None if place is None else place.after_sending(form.cleaned_data["next"])


def _permalink(ticket: Ticket, reply: Reply) -> str:
    """Return the address of the page with `reply`, which may be an early one."""
    return f"{ticket.get_absolute_url()}?reply={reply.pk}#reply-{reply.pk}"


def _status_of(form: AttachmentsForm) -> int:
    if form.is_already_submitted:
        return 409
    return 422 if form.errors else 200


def _already_submitted(request: AuthenticatedRequest, ticket: Ticket, form: ReplyForm) -> HttpResponse:
    """Respond that the reply was sent before with other files, with what the form needs to be sent again."""
    copies = form.renew()
    if wants_json(request):
        renewed = {"errors": form.errors, "key": form.data["key"], "copies": copies}
        return JsonResponse(renewed, status=409)
    return render_ticket(request, ticket, form, status=409)


def _unseen_messages(request: AuthenticatedRequest, ticket: Ticket, form: ReplyForm) -> HttpResponse:
    """Respond with the messages that came while this one was written; once they are shown, the form sends it."""
    if not wants_json(request):
        return render_ticket(request, visible_ticket(request, ticket.uuid), form, status=409)
    audience = policies.audience_of(request.user, ticket) or Audience.PUBLIC
    found = list(unseen_replies(request.user, ticket, form.cleaned_data["seen"]))
    unseen = [payloads.reply_payload(reply, audience) for reply in found[-MAX_SHOWN:]]
    seen = unseen[-1]["id"] if unseen else str(latest_shown(request.user, ticket))  # deleted meanwhile
    return JsonResponse({"errors": form.errors, "unseen": unseen, "seen": seen}, status=409)


def _visibility_conflict(request: AuthenticatedRequest, ticket: Ticket) -> HttpResponse:
    """Respond that the message's visibility changed since the user saw it."""
    sentence = _("This message was edited, or someone else changed who can see it. Review it and try again.")
    if wants_json(request):
        return JsonResponse({"errors": {"__all__": [sentence]}}, status=409)
    messages.error(request, sentence)
    return render_ticket(request, visible_ticket(request, ticket.uuid), ReplyForm(user=request.user), status=409)


def _change_error(request: AuthenticatedRequest, ticket: Ticket, form: ChangeForm) -> HttpResponse:
    """Return the errors; after a conflict also the current values, to choose from."""
    conflicts = {field for field in form.errors if form.has_error(field, "conflict")}
    status = 409 if conflicts else 422
    if wants_json(request):
        now = ChangeForm(ticket=ticket)
        values = {field: str(now[field].value() or "") for field in conflicts}
        return JsonResponse({"errors": form.errors, "current": values, "version": ticket.version}, status=status)
    return render_ticket(request, ticket, ReplyForm(user=request.user), status=status, changes=form)


def answer_panel_form(request: AuthenticatedRequest, ticket: Ticket, form: BaseForm, name: str) -> HttpResponse:
    """Lead back to the page; show it with a form of its panel that was refused, by the form's `name` in templates."""
    if not form.errors:
        return HttpResponse(status=204) if wants_json(request) else redirect(ticket)
    answer = error_response(request, form) or render_ticket(
        request, visible_ticket(request, ticket.uuid), ReplyForm(user=request.user), status=422, refused={name: form}
    )
    return throttles.with_retry_after(answer, *throttles.errors_of(form))


def render_ticket(
    request: AuthenticatedRequest,
    ticket: Ticket,
    form: ReplyForm,
    *,
    status: int = 200,
    changes: ChangeForm | None = None,
    refused: Mapping[str, BaseForm] | None = None,
) -> HttpResponse:
    """Return the page; a form that was refused is shown with what was typed, `refused` by its name in templates."""
    user = request.user
    audience = policies.audience_of(user, ticket)
    if audience is None:
        return render(request, "404.html", status=404)
    choices = ListChoices()
    has_read = reading_of(user, ticket)
    page = reply_page(user, ticket, request.GET, start=has_read.first_unread)
    if not (draft := draft_of(user, ticket)).is_internal or audience is Audience.STAFF:  # no note as reply
        form.begin_with(draft)
    begin_with_quote(form, request.GET, user=user, ticket=ticket)
    context = {
        "ticket": ticket,
        "payload": payloads.ticket_payload(ticket, audience),
        "seq": ticket.seq(audience),
        "is_staff": audience is Audience.STAFF,
        "takes_part": user.pk in {participant.user_id for participant in participants_of(ticket)},
        "audience": audience,
        "shows_activity": request.GET.get("tab") == "activity",
        "page": page,
        **_messages(user, ticket, page, audience),
        "has_read": has_read,
        "shown": token_of_page(user, ticket, page.replies[-1] if page.replies else None),
        "form": form,
        "draft": draft_payload(draft),
        "seen": latest_shown(user, ticket) if page.later else latest_of(page.replies, ticket),
        "properties": _properties(ticket, changes, choices),
        "merge": merge_payload(user, ticket, audience),
        "place": place_in_list(user, ticket, request.POST.get("list", request.GET.get("list"))),
        **(_for_staff(user, ticket, choices) if audience is Audience.STAFF else {}),
    }
    return render(request, "tickets/ticket.html", context | dict(refused or {}), status=status)


def _for_staff(user: User, ticket: Ticket, choices: ListChoices) -> dict[str, Any]:
    """Return what a customer's page has none of."""
    return {
        "card": card_of(ticket, viewer=user),
        "related": [payloads.related_payload(each) for each in policies.linked_tickets(user, ticket)],
        "sendings": _sendings(choices.statuses),
        "snooze_form": SnoozeForm(),
        "macro_form": ApplyForm(user=user),
        "snooze_times": SNOOZE_TIMES,
    }


def _messages(user: User, ticket: Ticket, page: ReplyPage, audience: Audience) -> dict[str, Any]:
    """Return the ticket's first message, the replies of the page with the changes between them, and the activity."""
    receipts = receipts_of(user, ticket, page.replies)
    splits = splits_payload(user, ticket)
    activity = activity_of(user, ticket, audience)
    replies = [
        payloads.reply_payload(reply, audience)
        | {"receipt": receipts.get(reply.pk), "splits": splits.get(reply.pk, [])}
        for reply in page.replies
    ]
    return {
        "thread": with_changes(page, replies, lines_of(user, ticket, page, activity), audience),
        "opening_splits": splits.get(None, []),
        "opening_receipt": receipts.get(None),
        "opening_attachments": [payloads.attachment_payload(file) for file in ticket.attachments.filter(reply=None)],
        "timeline": [payloads.timeline_payload(entry, ticket, audience) for entry in activity.entries],
        "is_timeline_cut": activity.is_cut,
    }


def _sendings(statuses: list[Status]) -> list[str]:
    """Return what sending can also do, as far as the desk has statuses for it."""
    found = {
        "hold": any(each.awaits_customer for each in statuses),
        "close": any(each.is_closed for each in statuses),
    }
    return [name for name, is_possible in found.items() if is_possible]


def _properties(ticket: Ticket, rejected: ChangeForm | None, choices: ListChoices) -> list[BoundField]:
    """Return the field of every property; a rejected one with its submitted value."""
    sent = {field.name: field for field in rejected or ()}
    return [sent.get(field.name, field) for field in ChangeForm(ticket=ticket, choices=choices).visible_fields()]
