"""The page that splits a message into a new ticket, and the lines that lead to such tickets."""

import uuid as uuids
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from accounts import throttles
from accounts.models import Office, User
from accounts.policies import staffed_offices
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.forms.fields import MessageField
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Reply, Ticket
from tickets.splitting import services
from tickets.splitting.shown import splits_payload
from tickets.views.parameters import changeable_ticket, to_uuid, visible_ticket
from tickets.views.responses import call_service


class SplitForm(forms.Form):
    """The new ticket; of a note also its first message."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    subject = forms.CharField(label=_("Subject"), max_length=MAX_SUBJECT)
    office = forms.ModelChoiceField(Office.objects.none(), label=_("Office"), empty_label=None)
    content = MessageField(label=_("Message"), max_length=MAX_MESSAGE)

    def __init__(self, data: Any = None, *, ticket: Ticket, is_note: bool, user: User) -> None:
        initial = {"key": uuids.uuid4(), "subject": ticket.subject, "office": ticket.office_id}
        super().__init__(data, initial=initial)
        self.fields["office"].queryset = staffed_offices(user)  # type: ignore[attr-defined]
        if not is_note:
            del self.fields["content"]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def split(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Show what becomes of the message `reply`, or of the first one, and open the new ticket."""
    ticket = changeable_ticket(request, uuid)
    reply = _reply(request, ticket)
    is_note = reply is not None and reply.is_internal
    data = request.POST if request.method == "POST" else None
    form = SplitForm(data, ticket=ticket, is_note=is_note, user=request.user)
    if data is not None and form.is_valid() and throttles.permits(form, "ticket", by=request.user):
        values = {"by": request.user, **form.cleaned_data}
        created = call_service(form, services.split_message, ticket, reply, **values)
        if created is not None:
            return redirect(created)
    context = {
        "ticket": ticket,
        "reply": reply,
        "form": form,
        "is_note": is_note,
        "customer": services.requester_of(ticket, reply),
        "message_html": ticket.html if reply is None else reply.html,
    }
    page = render(request, "tickets/split.html", context, status=422 if form.errors else 200)
    return throttles.with_retry_after(page, *throttles.errors_of(form))


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def splits(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return the tickets that messages were split into, by message."""
    ticket = visible_ticket(request, uuid)
    shown = splits_payload(request.user, ticket)
    return JsonResponse({"splits": {"opening" if key is None else str(key): rows for key, rows in shown.items()}})


def _reply(request: AuthenticatedRequest, ticket: Ticket) -> Reply | None:
    if "reply" not in request.GET:
        return None
    key = to_uuid(request.GET["reply"])
    reply: Reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=key)
    reply.ticket = ticket
    return reply
