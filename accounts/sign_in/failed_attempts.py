"""Limits on wrong passwords and codes: per account and device, so that a stranger cannot lock its owner out."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from accounts.models import User
from accounts.sign_in import known_devices
from accounts.sign_in.known_devices import digest

APP = "allauth.account"
PER_CLIENT = "login_failed"  # counted for an account and a known device, or an address
PER_ACCOUNT = "login_failed_account"  # counted for an account, over all unknown devices
WRONG_CODES = 5  # within WRONG_CODES_WINDOW, after which the owner is notified
WRONG_CODES_WINDOW = 300  # seconds
NOTICE_INTERVAL = 3600  # seconds between two notices about one account


def client_key(request: HttpRequest, email: str) -> str:
    """Return the key that counts attempts of this client at this account."""
    client = "known device" if known_devices.is_known(request, [email]) else ratelimit.get_ip(request)
    return f"{digest(email)}:{client}"


def count_attempt(request: HttpRequest, email: str) -> ratelimit.RateLimitUsage | None:
    """Count an attempt before the password is checked; None if it is over a limit, after a notice to the owner."""
    key = client_key(request, email)
    usage = ratelimit.consume(request, app=APP, action=PER_CLIENT, key=key)
    if usage is not None and not known_devices.is_known(request, [email]):
        over_all = ratelimit.consume(request, app=APP, action=PER_ACCOUNT, key=digest(email))
        if over_all is None:
            usage.rollback()
            usage = None
        else:
            usage.usage.extend(over_all.usage)
    if usage is None and _is_account_locked(request, key, email):
        _notify_owner(email)
    return usage


def clear(request: HttpRequest, email: str) -> None:
    """Forget the failed attempts at an account, after its password was reset."""
    ratelimit.clear(request, app=APP, action=PER_CLIENT, key=client_key(request, email))
    ratelimit.clear(request, app=APP, action=PER_ACCOUNT, key=digest(email))


def count_code(request: HttpRequest, user: User) -> ratelimit.RateLimitUsage | None:
    """Count a code of the second step before it is checked; None if it is over a limit.

    Known browsers count apart: who knows the password must not lock the owner out.
    """
    return ratelimit.consume(request, app=APP, action=PER_CLIENT, key=_code_key(request, user))


def clear_codes(request: HttpRequest, user: User) -> None:
    """Forget the wrong codes of this client, after a right one or a new password."""
    ratelimit.clear(request, app=APP, action=PER_CLIENT, config=_rates_per_key(), key=_code_key(request, user))


def count_wrong_code(user: User) -> None:
    """Count a wrong code of the second step, and notify the owner: who enters codes knows the password."""
    key = f"wrong-codes:{user.pk}"
    wrong = cache.get(key, 0) + 1
    cache.set(key, wrong, WRONG_CODES_WINDOW)
    if wrong == WRONG_CODES:
        get_adapter().send_notification_mail("account/email/second_step_blocked", user)


def _is_account_locked(request: HttpRequest, key: str, email: str) -> bool:
    """Return whether the limit of the account is reached, not only that of the address over all accounts."""
    asked: dict[str, Any] = {"app": APP, "dry_run": True}
    return not (
        ratelimit.consume(request, action=PER_CLIENT, key=key, config=_rates_per_key(), **asked)
        and ratelimit.consume(request, action=PER_ACCOUNT, key=digest(email), **asked)
    )


def _rates_per_key() -> dict[str, str]:
    """Return the limits of an account without those of an address over all accounts."""
    rates = settings.ACCOUNT_RATE_LIMITS[PER_CLIENT].split(",")
    return {PER_CLIENT: ",".join(rate for rate in rates if rate.endswith("/key"))}


def _code_key(request: HttpRequest, user: User) -> str:
    return f"codes:{user.pk}:{'known device' if known_devices.is_of(request, user) else 'others'}"


def _notify_owner(email: str) -> None:
    address = EmailAddress.objects.filter(email=email.lower(), verified=True, user__is_active=True).first()
    if address is None:
        return
    user: User = address.user
    if cache.add(f"sign-in-blocked:{user.pk}", True, NOTICE_INTERVAL):
        get_adapter().send_notification_mail("account/email/sign_in_blocked", user)
