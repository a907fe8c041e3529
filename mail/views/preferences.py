"""The page on which a person chooses which mails they receive."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.types import AuthenticatedRequest
from mail.forms import MailPreferencesForm


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def mail_preferences(request: AuthenticatedRequest) -> HttpResponse:
    """Show or save which mails the user receives."""
    form = MailPreferencesForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Changes saved."))
        return redirect("mail:preferences")
    return render(request, "mail/preferences.html", {"form": form}, status=422 if form.errors else 200)
