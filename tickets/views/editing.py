"""Editing a message by its author, and its earlier versions for staff."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from accounts import throttles
from accounts.types import AuthenticatedRequest
from tickets import policies, services
from tickets.forms.tickets import EditForm
from tickets.models import Reply, Ticket
from tickets.submissions import state_of
from tickets.views.responses import call_service


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def edit_reply(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Show the text of a message to its author, or replace it. What was typed is never lost."""
    reply = _fetch(request, uuid, reply_id)
    if request.method != "POST":
        if not policies.can_edit_reply(request.user, reply):
            raise PermissionDenied(_("You can no longer edit this message."))
        return _page(request, reply, EditForm(initial={"message": reply.message, "seen": state_of(reply)}))
    form = EditForm(request.POST)
    if form.is_valid() and throttles.permits(form, "reply", by=request.user):
        try:
            if call_service(form, services.edit_reply, reply, by=request.user, **form.arguments()):
                return redirect(f"{reply.ticket.get_absolute_url()}?reply={reply.pk}#reply-{reply.pk}")
        except PermissionDenied as error:
            form.add_error(None, str(error))
            return _page(request, reply, form, status=403)
        except services.Stale:
            return _conflict(request, uuid, reply_id, form)
    return throttles.with_retry_after(_page(request, reply, form, status=422), *throttles.errors_of(form))


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def earlier_versions(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Return the earlier texts of a message as typed, oldest first, to staff of the ticket."""
    reply = _fetch(request, uuid, reply_id)
    if not policies.is_staff_of(request.user, reply.ticket):
        raise PermissionDenied
    texts = [
        f"{date_format(timezone.localtime(each.written_at), 'DATETIME_FORMAT')}\n\n{each.message}"
        for each in policies.visible_revisions(request.user, reply)
    ]
    return HttpResponse("\n\n———\n\n".join(texts), content_type="text/plain; charset=utf-8")


def _conflict(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID, form: EditForm) -> HttpResponse:
    """Show what was typed beside the present text; sent again, it replaces that."""
    reply = _fetch(request, uuid, reply_id)
    form.add_error(None, _("This message has changed since. Compare your text with the present one, and save again."))
    form.data = {**form.data.dict(), "seen": state_of(reply)}  # type: ignore[attr-defined]
    return _page(request, reply, form, status=409, present=reply)


def _page(
    request: AuthenticatedRequest, reply: Reply, form: EditForm, *, status: int = 200, present: Reply | None = None
) -> HttpResponse:
    context = {"ticket": reply.ticket, "reply": reply, "form": form, "present": present}
    return render(request, "tickets/edit_reply.html", context, status=status)


def _fetch(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> Reply:
    ticket: Ticket = get_object_or_404(
        policies.visible_tickets(request.user).select_related(*Ticket.RELATED), uuid=uuid
    )
    reply: Reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id)
    return reply
