"""The settings pages of offices."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.conflicts import validate_again
from accounts.models import Office
from accounts.types import AuthenticatedRequest
from tickets.configuration import replacements
from tickets.forms.logos import LogoForm
from tickets.forms.offices import OfficeForm
from tickets.views.settings.access import for_admins
from tickets.views.settings.deletion import delete_page

SECTION = "offices"


@require_safe
@for_admins
def office_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show the offices."""
    rows = list(Office.objects.annotate(people=Count("agents", filter=Q(agents__is_active=True))))
    deleted = {office.pk for office in rows if replacements.is_being_deleted(office)}
    return render(request, "settings/offices.html", {"section": SECTION, "rows": rows, "deleted": deleted})


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@validate_again
def edit_office(request: AuthenticatedRequest, pk: int | None = None) -> HttpResponse:
    """Show or save an office; without `pk` a new one."""
    office = Office() if pk is None else get_object_or_404(Office, pk=pk)
    name = office.name
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form, logo = OfficeForm(data, instance=office), LogoForm(data, files, office=office)
    if request.method == "POST" and form.is_valid() and logo.is_valid():
        with transaction.atomic():
            form.save()
            logo.save(office)
        messages.success(request, _("Changes saved."))
        return redirect("settings:offices")
    context = {"section": SECTION, "form": form, "logo": logo, "office": office, "name": name}
    return render(request, "settings/office.html", context, status=422 if form.errors or logo.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def delete_office(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Ask where the tickets of an office go; delete it."""
    return delete_page(request, get_object_or_404(Office, pk=pk), section=SECTION)
