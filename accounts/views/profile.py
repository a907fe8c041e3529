"""The profile page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import ProfileForm
from accounts.types import AuthenticatedRequest


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: AuthenticatedRequest) -> HttpResponse:
    """Show or save the user's profile."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        with translation.override(request.user.language or translation.get_language()):
            messages.success(request, _("Changes saved."))
        return redirect("profile")
    request.user.refresh_from_db()  # an invalid form has modified the instance, whose name the page shows
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
