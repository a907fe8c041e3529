"""Seals short texts for clients to carry: they can neither read nor change them (Fernet, under SECRET_KEY)."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

STEP = 32  # bytes that texts are filled up to: how many digits a number has is not to be seen


def encrypt(purpose: str, text: str) -> str:
    """Return `text`, which has no NUL, sealed; another purpose cannot open it."""
    plain = text.encode()
    filled = plain.ljust(-(-len(plain) // STEP) * STEP, b"\0")
    return _cipher(purpose).encrypt(filled).decode()


def decrypt(purpose: str, sealed: str) -> str | None:
    """Return the text, or None if it was not sealed here for this purpose."""
    try:
        return _cipher(purpose).decrypt(sealed.encode(errors="replace")).rstrip(b"\0").decode()
    except InvalidToken:
        return None


def _cipher(purpose: str) -> Fernet:
    key = salted_hmac(f"realtime.seal.{purpose}", "", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
