"""The settings pages of saved replies, for all staff."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.configuration import saved_replies
from tickets.forms.saved_replies import SavedReplyForm
from tickets.models import SavedReply
from tickets.views.responses import call_service
from tickets.views.settings.access import for_staff

SECTION = "saved-replies"


@require_safe
@for_staff
def saved_reply_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show the saved replies that the user may use."""
    rows = policies.usable_saved_replies(request.user).select_related("owner", "office")
    return render(request, "settings/saved_replies.html", {"section": SECTION, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def edit_saved_reply(request: AuthenticatedRequest, pk: int | None = None) -> HttpResponse:
    """Show or save a saved reply; without `pk` a new one."""
    saved = SavedReply() if pk is None else _fetch(request, pk)
    name = saved.name
    form = SavedReplyForm(request.POST if request.method == "POST" else None, instance=saved, user=request.user)
    if request.method == "POST" and form.is_valid():
        call_service(form, saved_replies.save, form.instance, by=request.user)
        if not form.errors:
            messages.success(request, _("Changes saved."))
            return redirect("settings:saved-replies")
    context = {"section": SECTION, "form": form, "saved": saved, "name": name, "variables": saved_replies.VARIABLES}
    return render(request, "settings/saved_reply.html", context, status=422 if form.errors else 200)


@require_POST
@for_staff
def delete_saved_reply(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Delete a saved reply."""
    saved = _fetch(request, pk)
    saved_replies.delete(saved, by=request.user)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": isolated(saved.name)})
    return redirect("settings:saved-replies")


def _fetch(request: AuthenticatedRequest, pk: int) -> SavedReply:
    """Return a saved reply to change: 404 for one that the user does not see, 403 for one they may only use."""
    saved = get_object_or_404(policies.usable_saved_replies(request.user), pk=pk)
    if not policies.can_edit_saved_reply(request.user, saved):
        raise PermissionDenied
    return saved
