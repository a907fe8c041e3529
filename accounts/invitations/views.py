"""The page behind the link of an invitation."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.invitations import services
from accounts.invitations.forms import AcceptForm


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for name and password, and create the account. Every link that is not valid gets the same answer."""
    found = services.find(token)
    if found is None:
        return _not_valid(request)
    form = AcceptForm(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.accept(found, name=form.cleaned_data["name"], password=form.cleaned_data["new_password1"])
        except ValidationError:  # used, revoked or signed up for meanwhile
            return _not_valid(request)
        messages.success(request, _("Your account is ready. Sign in."))
        return redirect("account_login")
    context = {"form": form, "invitation": found}
    response = render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _not_valid(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation.html", status=404)
