"""The user's API tokens."""

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.sign_in import tokens
from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def token_list(request: AuthenticatedRequest) -> HttpResponse:
    """List or create tokens, after reauthentication. The secret is shown in this response only."""
    form = TokenForm(request.POST or None, user=request.user)
    secret = ""
    if request.method == "POST" and form.is_valid():
        _token, secret = tokens.issue(request.user, **form.cleaned_data)
        form = TokenForm(user=request.user)
    context = {"tokens": ApiToken.objects.filter(user=request.user), "form": form, "secret": secret}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke_token(request: AuthenticatedRequest, token_id: UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken, id=token_id, user=request.user)
    token.delete()
    messages.success(request, _("“%(name)s” was revoked.") % {"name": isolated(token.name)})
    return redirect("tokens")
