"""API tokens: look up, create and revoke."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.crypto import hash_token

from accounts.models import ApiToken, User
from accounts.sign_in import required_second_step

MAX_TOKENS = 20  # per user
LAST_USED_INTERVAL = timedelta(minutes=1)
MAX_TOKEN_LENGTH = 200  # secret; longer tokens are not looked up


def user_of_token(token: str) -> tuple[User, str] | None:
    """Return the user and the public id of a valid token, or None."""
    found = find_token(token)
    return None if found is None else (found.user, str(found.id))


def bearer(token: str) -> tuple[User, datetime | None] | None:
    """Return the user and expiry of a valid token, or None (REALTIME["BEARER"])."""
    found = find_token(token)
    return None if found is None else (found.user, found.expiry)


def find_token(token: str) -> ApiToken | None:
    """Return the valid token with this secret, or None, and record its use."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        return None
    found = _valid_tokens().filter(digest=hash_token(token)).first()
    if found is not None:
        _record_use(found)
    return found


def _record_use(token: ApiToken) -> None:
    """Record the use at most every LAST_USED_INTERVAL: it costs a write."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= LAST_USED_INTERVAL:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def check_token_limit(user: User) -> None:
    """Raise ValidationError if the user has MAX_TOKENS tokens."""
    if ApiToken.objects.filter(user=user).count() >= MAX_TOKENS:
        raise ValidationError(_("You already have %(most)d tokens. Revoke one first.") % {"most": MAX_TOKENS})


def issue(user: User, *, name: str, days: int, scope: str = ApiToken.Scope.WRITE) -> tuple[ApiToken, str]:
    """Create a token, and return it with its secret, which is not stored."""
    token, secret = ApiToken.objects.create(user=user, name=name, expiry=timedelta(days=days), scope=scope)
    return token, str(secret)


def revoke_all(user: User) -> None:
    """Revoke every token of `user` and close their sockets."""
    ApiToken.objects.filter(user=user).delete()


def _valid_tokens() -> QuerySet[ApiToken]:
    is_valid = Q(expiry=None) | Q(expiry__gt=timezone.now())
    tokens: QuerySet[ApiToken] = ApiToken.objects.filter(is_valid, user__is_active=True).select_related("user")
    if settings.STAFF_TWO_FACTOR_REQUIRED:
        tokens = tokens.exclude(user__in=User.objects.filter(required_second_step.users_without()))
    return tokens
