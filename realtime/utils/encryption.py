"""Encryption of short texts that clients carry and can neither read nor change (Fernet, key from SECRET_KEY)."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

BLOCK_SIZE = 32  # bytes: texts are padded to a multiple, so that the length of a number does not show its size


def encrypt(text: str, *, purpose: str) -> str:
    """Return `text`, which must not contain NUL, as a token that only `decrypt` for the same purpose can read."""
    plain = text.encode()
    padded = plain.ljust(-(-len(plain) // BLOCK_SIZE) * BLOCK_SIZE, b"\0")
    return _cipher(purpose).encrypt(padded).decode()


def decrypt(token: str, *, purpose: str) -> str | None:
    """Return the text in `token`; None if the token is invalid, or from another purpose or SECRET_KEY."""
    try:
        return _cipher(purpose).decrypt(token.encode(errors="replace")).rstrip(b"\0").decode()
    except InvalidToken:
        return None


def _cipher(purpose: str) -> Fernet:
    # Part of the key of tokens that clients hold: never change it.
    key = salted_hmac(f"realtime.seal.{purpose}", "", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
