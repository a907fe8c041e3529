"""API tokens: the person behind one."""

from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import User


def person_of_token(token: str) -> tuple[User, str] | None:
    """Return a bearer token's person and key; None if it is unknown or expired, or its person inactive."""
    try:
        user, found = TokenAuthentication().authenticate_credentials(token.encode())
    except (AuthenticationFailed, UnicodeEncodeError):
        return None
    return user, found.token_key


def bearer(token: str) -> User | None:
    """Return who a bearer token speaks for now."""
    found = person_of_token(token)
    return None if found is None else found[0]
