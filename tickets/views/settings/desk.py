"""The settings page of the site as a whole."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import DeskSettings
from accounts.types import AuthenticatedRequest
from tickets.forms.desk import DeskForm
from tickets.views.settings.access import for_admins


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def edit_desk(request: AuthenticatedRequest) -> HttpResponse:
    """Show or save the site's settings."""
    row = DeskSettings.objects.first() or DeskSettings()
    form = DeskForm(request.POST if request.method == "POST" else None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Changes saved."))
        return redirect("settings:desk")
    context = {"section": "desk", "form": form}
    return render(request, "settings/desk.html", context, status=422 if form.errors else 200)
