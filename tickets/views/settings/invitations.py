"""Invitations on the settings page of people: sent, sent again and revoked."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.invitations import services
from accounts.models import Invitation
from accounts.types import AuthenticatedRequest
from tickets.forms.people import InvitationForm
from tickets.views.responses import call_service
from tickets.views.settings.access import for_admins, password_for_changes

SECTION = "people"


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@password_for_changes
def invite(request: AuthenticatedRequest) -> HttpResponse:
    """Show the form of a new invitation, or mail it."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and call_service(form, form.send, request.user):
        messages.success(request, _("The invitation was sent to %(email)s.") % {"email": form.cleaned_data["email"]})
        return redirect("settings:people")
    context = {"section": SECTION, "form": form}
    return render(request, "settings/invitation.html", context, status=422 if form.errors else 200)


@require_POST
@for_admins
@password_for_changes
def send_again(request: AuthenticatedRequest, pk: UUID) -> HttpResponse:
    """Send an invitation again, for another week."""
    return _change(request, pk, services.resend, _("The invitation was sent to %(email)s."))


@require_POST
@for_admins
@password_for_changes
def revoke(request: AuthenticatedRequest, pk: UUID) -> HttpResponse:
    """End an invitation: its link stops working."""
    return _change(request, pk, services.revoke, _("The invitation of %(email)s was revoked."))


def _change(request: AuthenticatedRequest, pk: UUID, service: Any, words: str) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        service(invitation, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, words % {"email": invitation.email})
    return redirect("settings:people")
