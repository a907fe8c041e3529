"""Two-factor authentication: encrypted secrets, and codes that count once."""

import logging
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core.cache import cache

from accounts.models import User
from accounts.sign_in import failed_attempts
from realtime.utils import encryption

PURPOSE = "second step"
# An app shows each code for one step, which is valid for one more on both sides (settings.MFA_TOTP_TOLERANCE).
CODE_SECONDS = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)

logger = logging.getLogger(__name__)


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts the secrets of authenticator apps and recovery codes with a key derived from SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; one that no code fits if it was encrypted with another SECRET_KEY."""
        text = encryption.decrypt(encrypted_text, purpose=PURPOSE)
        if text is None:
            logger.error("second step not readable; SECRET_KEY has changed")
            return str(generate_totp_secret())
        return text


class ActivateTOTPForm(AllauthActivateTOTPForm):  # type: ignore[misc]
    """Uses up the code that switches the second step on: it would open the account once more."""

    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code: str = super().clean_code()
        if not _use_up(code, self.user):
            raise get_mfa_adapter().validation_error("incorrect_code")
        return code


class CodeForm(forms.BaseAuthenticateForm):  # type: ignore[misc]
    """Takes a code of the app or a recovery code. allauth counts wrong ones per user, known browsers or not."""

    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        """Return the code. Raises ValidationError for a wrong one, and over the limit of this client."""
        if failed_attempts.count_code(context.request, self.user) is None:
            raise get_account_adapter().validation_error("too_many_login_attempts")
        code = self.cleaned_data["code"]
        found = (
            Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN).order_by("-type")
        )
        for authenticator in found:
            if authenticator.wrap().validate_code(code) and self._is_first_use(authenticator, code):
                authenticator.user = self.user
                self.authenticator = authenticator
                failed_attempts.clear_codes(context.request, self.user)
                return str(code)
        if found:
            self._emit_authentication_failed(found[0])
        raise get_mfa_adapter().validation_error("incorrect_code")

    def _is_first_use(self, authenticator: Authenticator, code: str) -> bool:
        # allauth itself deletes a recovery code.
        return authenticator.type != Authenticator.Type.TOTP or _use_up(code, self.user)


def _use_up(code: str, user: User) -> bool:
    """Return whether this is the first use of an app's code while it is valid; allauth remembers it for one step."""
    return bool(cache.add(f"second-step.{user.pk}.{normalize_user_code(code)}", True, timeout=CODE_SECONDS))


class AuthenticateForm(CodeForm, forms.AuthenticateForm):  # type: ignore[misc]
    """Asks for a code after the password."""


class ReauthenticateForm(CodeForm, forms.ReauthenticateForm):  # type: ignore[misc]
    """Asks a signed-in user for a code."""
