"""Authenticate by password and code without a session, with the rate limits of the sign-in page."""

from typing import NoReturn

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed, Throttled

from accounts.models import User
from accounts.sign_in import required_second_step
from accounts.sign_in.second_steps import CodeForm

LOCKED_SECONDS = 300  # the window in which allauth counts failed attempts


def authenticate(request: HttpRequest, email: str, *, password: str, code: str) -> User:
    """Return the user. Raises AuthenticationFailed, PermissionDenied, and Throttled after too many failures."""
    try:
        user = get_adapter().authenticate(request, email=email, password=password)
    except ValidationError:
        raise Throttled(LOCKED_SECONDS) from None
    if not isinstance(user, User) or not user.is_active:
        _fail("wrong_credentials", _("Incorrect email address or password."))
    if is_mfa_enabled(user):
        _check_code(user, code)
    if required_second_step.is_missing(user):
        raise PermissionDenied(_("Set up two-factor authentication first."))
    if _is_unconfirmed(user):
        raise PermissionDenied(_("Confirm your email address first."))
    return user


def _check_code(user: User, code: str) -> None:
    """Check and use up a code of the authenticator app, or a recovery code."""
    if not code:
        _fail("code_required", _("A code from the authenticator app or a recovery code is required."))
    form = CodeForm({"code": code}, user=user)
    if form.is_valid():
        form.authenticator.record_usage()
    elif form.has_error("code", "too_many_login_attempts"):
        raise Throttled(LOCKED_SECONDS)
    else:
        _fail("wrong_code", _("The code is incorrect or was already used."))


def _is_unconfirmed(user: User) -> bool:
    is_required = settings.ACCOUNT_EMAIL_VERIFICATION == EmailVerificationMethod.MANDATORY
    return is_required and not EmailAddress.objects.filter(user=user, verified=True).exists()


def _fail(code: str, detail: str) -> NoReturn:
    raise AuthenticationFailed(detail, code)
