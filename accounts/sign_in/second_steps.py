"""Two-factor authentication: encrypted secrets, and codes that count once."""

import logging
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from realtime.utils import encryption

PURPOSE = "second step"

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
        if not TOTP(Authenticator(user=self.user))._mark_code_used(code):
            raise get_mfa_adapter().validation_error("incorrect_code")
        return code
