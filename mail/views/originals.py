"""Received mails as they came, for staff of their ticket."""

from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.types import AuthenticatedRequest
from mail.models import ReceivedMessage
from mail.policies import mail_of_opening, mail_of_reply
from tickets import policies

MAX_BYTES: Final = 256 * 1024


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def opening_mail(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return the mail that opened a ticket, with its headers."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    return _as_text(mail_of_opening(request.user, ticket))


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def reply_mail(request: AuthenticatedRequest, uuid: UUID, reply_id: UUID) -> HttpResponse:
    """Return the mail that became a reply, with its headers."""
    ticket = get_object_or_404(policies.visible_tickets(request.user), uuid=uuid)
    reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id)
    reply.ticket = ticket
    return _as_text(mail_of_reply(request.user, reply))


def _as_text(mail: ReceivedMessage | None) -> HttpResponse:
    """Return the beginning of a mail, which has room for its headers and text."""
    if mail is None:
        raise Http404
    kind = "text/plain; charset=utf-8"
    if mail.raw is None:
        return HttpResponse(_("The original was deleted after the retention time."), kind, status=410)
    raw = bytes(mail.raw)
    text = raw[:MAX_BYTES].decode("utf-8", "replace")
    if len(raw) > MAX_BYTES:
        text += "\n\n" + _("[The rest of the email is not shown.]")
    return HttpResponse(text, kind)
