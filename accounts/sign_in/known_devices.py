"""Browsers in which a user has signed in before, by a signed cookie that names no account in clear."""

from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts import email_addresses
from accounts.models import User

DEVICE_COOKIE = "known_device"
DEVICE_COOKIE_AGE = 365 * 24 * 3600  # seconds
MAX_ACCOUNTS = 5  # that a browser is known to


def remember(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Mark the browser as one that has signed in to the account."""
    known = [digest(email), *_known_accounts(request)]
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(list(dict.fromkeys(known))[:MAX_ACCOUNTS], salt=DEVICE_COOKIE),
        max_age=DEVICE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, emails: Iterable[str]) -> bool:
    """Return whether the browser has signed in to the account of one of these addresses."""
    return not {digest(email) for email in emails}.isdisjoint(_known_accounts(request))


def is_of(request: HttpRequest, user: User) -> bool:
    """Return whether the user has signed in with this browser."""
    return is_known(request, email_addresses.notified_addresses(user))


def digest(email: str) -> str:
    """Return what stands for an address: the cookie must not hold it in clear."""
    return salted_hmac("accounts.failed_sign_ins", email.strip().lower(), algorithm="sha256").hexdigest()[:32]


def _known_accounts(request: HttpRequest) -> list[str]:
    try:
        known = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=DEVICE_COOKIE, max_age=DEVICE_COOKIE_AGE)
    except signing.BadSignature:
        return []
    return [str(account) for account in known]
