"""API tokens: whose one is, whether it is still good, and making one."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.crypto import hash_token

from accounts.models import ApiToken, User

MAX_TOKENS = 20  # of one person
MAX_TOKEN_LENGTH = 200  # of a token that is looked up at all


def user_of_token(token: str) -> tuple[User, str] | None:
    """Return whose token this is, and the key that names it; None if it opens nothing."""
    found = find_token(token)
    return None if found is None else (found.user, str(found.id))


def bearer(token: str) -> tuple[User, datetime | None] | None:
    """Return who a token speaks for now, and when it expires (what the socket asks, at the handshake and again)."""
    found = find_token(token)
    return None if found is None else (found.user, found.expiry)


def find_token(token: str) -> ApiToken | None:
    """Return the token that was issued as these characters, if it still opens something."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        return None
    return _valid_tokens().filter(digest=hash_token(token)).first()


def check_token_limit(user: User) -> None:
    """Refuse one more than anybody needs."""
    if ApiToken.objects.filter(user=user).count() >= MAX_TOKENS:
        raise ValidationError(_("You already have %(most)d tokens. Revoke one first.") % {"most": MAX_TOKENS})


def issue(user: User, *, name: str, days: int) -> tuple[ApiToken, str]:
    """Make a token of `user`, and return it with its characters, which nobody can read again."""
    token, characters = ApiToken.objects.create(user=user, name=name, expiry=timedelta(days=days))
    return token, str(characters)


def revoke_all(user: User) -> None:
    """End every token of `user`, and with them their sockets."""
    ApiToken.objects.filter(user=user).delete()


def _valid_tokens() -> QuerySet[ApiToken]:
    is_running = Q(expiry=None) | Q(expiry__gt=timezone.now())
    tokens: QuerySet[ApiToken] = ApiToken.objects.filter(is_running, user__is_active=True).select_related("user")
    return tokens
