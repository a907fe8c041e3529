"""The settings pages of people: who they are, what they may do, and their data."""

from typing import Any
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import email_addresses
from accounts.customers import managed_people
from accounts.invitations import services as invitations
from accounts.models import User
from accounts.policies import managed_users
from accounts.sign_in import sessions
from accounts.types import AuthenticatedRequest
from tickets.forms.erasure import ErasureForm
from tickets.forms.people import DeactivationForm, PersonForm
from tickets.people import handover
from tickets.views.privacy import archive_response
from tickets.views.responses import call_service
from tickets.views.settings.access import for_admins, password_for_changes

SECTION = "people"
MAX_SHOWN = 200


@require_safe
@for_admins
def people_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show open invitations and staff, or everyone whose name or address contains the words of `q`."""
    words = request.GET.get("q", "").strip()[:100]
    people = managed_people(request.user, words)
    found = list(people.order_by("-is_active", "folded_name", "email").prefetch_related("offices")[: MAX_SHOWN + 1])
    context = {
        "section": SECTION,
        "words": words,
        "rows": found[:MAX_SHOWN],
        "is_cut": len(found) > MAX_SHOWN,
        "invitations": [] if words else invitations.open_invitations().select_related("invited_by"),
    }
    return render(request, "settings/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@password_for_changes
def edit_person(request: AuthenticatedRequest, pk: UUID) -> HttpResponse:
    """Show or save name, role and offices of a person."""
    person = get_object_or_404(managed_users(request.user), pk=pk)
    form = PersonForm(request.POST if request.method == "POST" else None, person=person, by=request.user)
    if request.method == "POST" and form.is_valid() and call_service(form, form.save):
        messages.success(request, _("Changes saved."))
        return redirect("settings:people")
    return _render(request, get_object_or_404(managed_users(request.user), pk=pk), form)


@require_POST
@for_admins
@password_for_changes
def deactivate(request: AuthenticatedRequest, pk: UUID) -> HttpResponse:
    """Deactivate a person, and hand over their open tickets."""
    person = get_object_or_404(managed_users(request.user), pk=pk)
    form = DeactivationForm(request.POST, person=person)
    if form.is_valid():
        try:
            number = handover.deactivate(person, by=request.user, to=form.cleaned_data["to"])
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _deactivated(person, number))
    else:
        messages.error(request, _("Tickets can only be assigned to active agents and admins."))
    return redirect("settings:people-edit", pk)


@require_POST
@for_admins
@password_for_changes
def activate(request: AuthenticatedRequest, pk: UUID) -> HttpResponse:
    """Let a deactivated person sign in again."""
    person = get_object_or_404(managed_users(request.user), pk=pk)
    handover.activate(person, by=request.user)
    messages.success(request, _("%(name)s can sign in again.") % {"name": person.name})
    return redirect("settings:people-edit", pk)


@require_POST
@for_admins
@password_for_changes
def export(request: AuthenticatedRequest, pk: UUID) -> Any:
    """Return the person's data as a zip archive."""
    return archive_response(get_object_or_404(managed_users(request.user), pk=pk))


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@password_for_changes
def erase(request: AuthenticatedRequest, pk: UUID) -> HttpResponse:
    """Say what will happen; erase the person once their address is typed."""
    person = get_object_or_404(managed_users(request.user), pk=pk)
    form = ErasureForm(request.POST if request.method == "POST" else None, person=person, by=request.user)
    if request.method == "POST" and form.is_valid() and call_service(form, form.erase):
        messages.success(request, _("The person was erased."))
        return redirect("settings:people")
    context = {"section": SECTION, "form": form, "person": person, "numbers": form.numbers}
    return render(request, "settings/erasure.html", context, status=422 if form.errors else 200)


def _deactivated(person: User, number: int) -> str:
    words = [_("%(name)s was deactivated and signed out.") % {"name": person.name}]
    if number:
        moved = ngettext("%(number)d ticket was handed over.", "%(number)d tickets were handed over.", number)
        words.append(moved % {"number": number})
    return " ".join(words)


def _render(request: AuthenticatedRequest, person: User, form: PersonForm) -> HttpResponse:
    context: dict[str, Any] = {
        "section": SECTION,
        "person": person,
        "form": form,
        "deactivation": DeactivationForm(person=person),
        "addresses": email_addresses.notified_addresses(person),
        "sessions": sessions.active_sessions(person).count(),
        "has_second_step": is_mfa_enabled(person),
    }
    return render(request, "settings/person.html", context, status=422 if form.errors else 200)
