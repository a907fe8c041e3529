"""Links that turn one kind of mail off, or leave a ticket, without a sign-in (RFC 8058). They open nothing else."""

from typing import Final

from django.core import signing
from django.urls import reverse

from accounts.models import User
from tickets.models import NotificationKind, Ticket

SALT: Final = "mail.unsubscribe"
LEAVE_SALT: Final = "mail.leave"
DIGEST: Final = "digest"


def unsubscribe_path(user: User, event: NotificationKind) -> str:
    """Return the path that turns mails about a kind of event off for `user`."""
    return reverse("mail:unsubscribe", args=[signing.dumps([str(user.pk), event.value], salt=SALT)])


def digest_off_path(user: User) -> str:
    """Return the path that turns the daily summary off for `user`."""
    return reverse("mail:unsubscribe", args=[signing.dumps([str(user.pk), DIGEST], salt=SALT)])


def parse_token(token: str) -> tuple[User, NotificationKind | None] | None:
    """Return the user and the kind of event of a link, None for that of the daily summary.

    Return None if the link is forged, or its user is not active.
    """
    try:
        key, event = signing.loads(token, salt=SALT)
        return User.objects.get(pk=key, is_active=True), None if event == DIGEST else NotificationKind(event)
    except (signing.BadSignature, User.DoesNotExist, ValueError):
        return None


def leave_path(user: User, ticket: Ticket) -> str:
    """Return the path by which the participant `user` leaves `ticket`."""
    return reverse("mail:leave", args=[signing.dumps([str(user.pk), str(ticket.uuid)], salt=LEAVE_SALT)])


def parse_leave_token(token: str) -> tuple[User, Ticket] | None:
    """Return the user and the ticket of a link; None if it is forged, or one of them is gone."""
    try:
        key, uuid = signing.loads(token, salt=LEAVE_SALT)
        return User.objects.get(pk=key, is_active=True), Ticket.objects.get(uuid=uuid)
    except (signing.BadSignature, User.DoesNotExist, Ticket.DoesNotExist, ValueError):
        return None
