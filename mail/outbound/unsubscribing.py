"""Links that turn one kind of mail off without a sign-in (RFC 8058). They open nothing else."""

from typing import Final

from django.core import signing
from django.urls import reverse

from accounts.models import User
from tickets.models import NotificationKind

SALT: Final = "mail.unsubscribe"


def unsubscribe_path(user: User, event: NotificationKind) -> str:
    """Return the path that turns mails about a kind of event off for `user`."""
    return reverse("mail:unsubscribe", args=[signing.dumps([str(user.pk), event.value], salt=SALT)])


def parse_token(token: str) -> tuple[User, NotificationKind] | None:
    """Return the user and the kind of event of a link; None if it is forged, or its user is not active."""
    try:
        key, event = signing.loads(token, salt=SALT)
        return User.objects.get(pk=key, is_active=True), NotificationKind(event)
    except (signing.BadSignature, User.DoesNotExist, ValueError):
        return None
