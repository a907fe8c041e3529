"""The pages behind the links in mails that turn one kind of mail off, or leave a ticket."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from mail.models import MailPreference, preferences
from mail.outbound.unsubscribing import parse_leave_token, parse_token
from tickets.people.participants import remove_participant


# Mail programs post to it without a cookie or token; the signed address is the permission.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to turn the mails off (GET: programs follow links too), or do it."""
    found = parse_token(token)
    if found is None:
        raise Http404
    user, event = found
    if request.method == "POST":
        if event is None:
            preferences.turn_digest_off(user)
        else:
            preferences.set_modes(user, {event: MailPreference.Mode.NEVER})
    label = _("Daily summary") if event is None else event.label
    context = {"event": label, "is_done": request.method == "POST"}
    return render(request, "mail/unsubscribe.html", context)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to leave the ticket, or do it. The page says nothing of the ticket."""
    found = parse_leave_token(token)
    if found is None:
        raise Http404
    user, ticket = found
    if request.method == "POST":
        remove_participant(ticket, by=user, person=user)
    return render(request, "mail/leave.html", {"is_done": request.method == "POST"})
