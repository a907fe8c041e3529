"""The settings pages of organizations and their members."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import throttles
from accounts.conflicts import validate_again
from accounts.models import User
from accounts.types import AuthenticatedRequest
from tickets.forms.organizations import MemberForm, OrganizationForm
from tickets.models import Organization
from tickets.people import organizations
from tickets.views.responses import call_service
from tickets.views.settings.access import for_admins

SECTION = "organizations"
MAX_SHOWN = 200  # organizations of the list, members of a page


@require_safe
@for_admins
def organization_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show the organizations, or those whose name or domain contains `q`."""
    words = request.GET.get("q", "").strip()[:100]
    rows = Organization.objects.prefetch_related("domains").annotate(people=Count("members"))
    if words:
        named = Organization.objects.filter(Q(name__icontains=words) | Q(domains__domain__icontains=words))
        rows = rows.filter(pk__in=named.order_by().values("pk"))
    found = list(rows[: MAX_SHOWN + 1])
    context = {"section": SECTION, "rows": found[:MAX_SHOWN], "is_cut": len(found) > MAX_SHOWN, "words": words}
    return render(request, "settings/organizations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@validate_again
def edit_organization(request: AuthenticatedRequest, pk: int | None = None) -> HttpResponse:
    """Show or save an organization; without `pk` a new one."""
    organization = Organization() if pk is None else get_object_or_404(Organization, pk=pk)
    form = OrganizationForm(request.POST if request.method == "POST" else None, instance=organization)
    if request.method == "POST" and form.is_valid():
        values = {"domains": form.cleaned_data["domains"], "if_versions": form.if_versions}
        try:
            call_service(form, organizations.save_organization, form.instance, by=request.user, **values)
        except organizations.Stale:
            form.offer(get_object_or_404(Organization, pk=pk))
        if not form.errors:
            messages.success(request, _("Changes saved."))
            return redirect("settings:organizations-edit", organization.pk)
    return _render(request, None if pk is None else get_object_or_404(Organization, pk=pk), form, MemberForm())


@require_POST
@for_admins
def delete_organization(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Delete an organization."""
    organization = get_object_or_404(Organization, pk=pk)
    organizations.delete_organization(organization, by=request.user)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": organization.name})
    return redirect("settings:organizations")


@require_POST
@for_admins
def add_member(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Add the named person, who may be new."""
    organization = get_object_or_404(Organization, pk=pk)
    form = MemberForm(request.POST)
    if form.is_valid() and throttles.permits(form, "ticket", by=request.user):
        text = form.cleaned_data["person"]
        person = call_service(form, organizations.add_named_member, organization, text, by=request.user)
        if person is not None:
            messages.success(request, _("%(name)s is a member.") % {"name": person.name})
            return redirect("settings:organizations-edit", pk)
    return _render(request, organization, OrganizationForm(instance=organization), form)


@require_POST
@for_admins
def remove_member(request: AuthenticatedRequest, pk: int, user_id: UUID) -> HttpResponse:
    """Remove a member, who stays removed until an admin undoes it."""
    organization = get_object_or_404(Organization, pk=pk)
    person = get_object_or_404(User, membership__organization=organization, pk=user_id)
    organizations.remove_member(organization, by=request.user, person=person)
    messages.success(request, _("%(name)s is no longer a member.") % {"name": person.name})
    return redirect("settings:organizations-edit", pk)


@require_POST
@for_admins
def restore_member(request: AuthenticatedRequest, pk: int, user_id: UUID) -> HttpResponse:
    """Undo a removal by hand."""
    organization = get_object_or_404(Organization, pk=pk)
    person = get_object_or_404(User, organization_removals__organization=organization, pk=user_id)
    if organizations.restore_member(organization, by=request.user, person=person):
        messages.success(request, _("%(name)s is a member.") % {"name": person.name})
    else:
        messages.success(request, _("%(name)s becomes a member with a verified address.") % {"name": person.name})
    return redirect("settings:organizations-edit", pk)


def _render(
    request: AuthenticatedRequest, organization: Organization | None, form: OrganizationForm, member_form: MemberForm
) -> HttpResponse:
    context: dict[str, Any] = {"section": SECTION, "form": form, "member_form": member_form}
    if organization is not None:
        members = organization.members.select_related("user").order_by("user__folded_name", "pk")
        removals = organization.removals.select_related("user").order_by("user__folded_name", "pk")
        context |= {
            "organization": organization,
            "members": members[:MAX_SHOWN],
            "number": members.count(),
            "removals": removals[:MAX_SHOWN],
        }
    page = render(request, "settings/organization.html", context, status=_status(form, member_form))
    return throttles.with_retry_after(page, *throttles.errors_of(member_form))


def _status(*forms: Any) -> int:
    return 422 if any(form.errors for form in forms) else 200
