"""The answer to a form whose CSRF token is not that of the browser's cookie."""

from allauth.account.utils import get_login_redirect_url
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure as django_csrf_failure

ENTRANCE = ("account_login", "account_signup", "account_reset_password", "account_logout")
# Pages that are of use to a signed-in user too.
SHOWN_AGAIN = ("account_confirm_email", "account_reset_password_from_key", "account_reauthenticate")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Lead on from a page of the entrance that was open while another tab signed in or out; else refuse."""
    match = request.resolver_match
    name = match.url_name if match is not None else ""
    if name not in (*ENTRANCE, *SHOWN_AGAIN) or settings.CSRF_COOKIE_NAME not in request.COOKIES:
        return django_csrf_failure(request, reason)
    if name == "account_logout":
        return redirect("account_logout" if request.user.is_authenticated else "account_login")
    if request.user.is_authenticated and name in ENTRANCE:
        return redirect(get_login_redirect_url(request))
    messages.warning(request, _("This page had expired. Please try again."))
    return redirect(request.get_full_path())
