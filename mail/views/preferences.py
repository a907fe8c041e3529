"""The page on which a person chooses how they are notified of what: in the app, on the desktop, by mail."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.types import AuthenticatedRequest
from mail.forms import MailPreferencesForm
from tickets.forms.notifications import AlertsForm


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def mail_preferences(request: AuthenticatedRequest) -> HttpResponse:
    """Show or save how the user is notified."""
    form = MailPreferencesForm(request.POST or None, user=request.user)
    alerts = AlertsForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid() and alerts.is_valid():
        with transaction.atomic():
            form.save()
            alerts.save()
        messages.success(request, _("Changes saved."))
        return redirect("mail:preferences")
    rows = [{"mail": field, "alerts": alerts.of(field.name)} for field in form]
    context = {"form": form, "rows": rows}
    return render(request, "mail/preferences.html", context, status=422 if form.errors else 200)
