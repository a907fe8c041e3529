"""The settings page of the site as a whole."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import DeskSettings
from accounts.types import AuthenticatedRequest
from tickets.forms.desk import DeskForm
from tickets.forms.logos import LogoForm
from tickets.views.settings.access import for_admins


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def edit_desk(request: AuthenticatedRequest) -> HttpResponse:
    """Show or save the site's settings."""
    row = DeskSettings.objects.first() or DeskSettings()
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form, logo = DeskForm(data, instance=row), LogoForm(data, files, office=None)
    if request.method == "POST" and form.is_valid() and logo.is_valid():
        with transaction.atomic():
            form.save()
            logo.save(None)
        messages.success(request, _("Changes saved."))
        return redirect("settings:desk")
    context = {"section": "desk", "form": form, "logo": logo}
    return render(request, "settings/desk.html", context, status=422 if form.errors or logo.errors else 200)
