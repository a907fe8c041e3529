"""The notifications of each person: written with the change, read on a page, deleted when they are old."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from accounts.models import User
from realtime import publish
from realtime.broadcasting import event_log
from realtime.utils.compiled_query import CompiledQuery
from tickets import policies, tasks
from tickets.models import (
    Mention,
    Notification,
    NotificationKind,
    NotificationPreference,
    PushSubscription,
    Reply,
    Ticket,
    TicketSubscription,
)
from tickets.notifications import preferences
from tickets.notifications.events import NotificationsRead, TicketNotified
from tickets.notifications.recipients import Notice
from tickets.signals import people_notified, person_erased, ticket_read

RETENTION: Final = timedelta(days=90)
# Within this time an open page shows a notification, and reports it.
PUSH_DELAY: Final = timedelta(seconds=8)
MAX_UNREAD: Final = 99  # the bell shows "99+"
_RELATED: Final = ("actor", "reply", "ticket__office", "ticket__creator")
_UNUSED: Final = (*(f"ticket__{field}" for field in Ticket.MESSAGE_FIELDS), "reply__message", "reply__rendered")


@receiver(people_notified)
def record(notice: Notice, **_: Any) -> None:
    """Write a notification for each of the people, and notify their pages: as many queries as for one person."""
    if notice.kind == NotificationKind.RECEIPT:
        return
    people = preferences.wanted_in_app(notice.people, notice.kind)
    if not people:
        return
    shared = {"kind": notice.kind, "ticket": notice.ticket, "reply": notice.reply, "actor": notice.actor}
    rows = [Notification(user=user, occurrence=notice.occurrence, **shared) for user in people]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    publish(TicketNotified(notice, people))
    if PushSubscription.objects.filter(user__in=people).exists():
        due = timezone.now() + PUSH_DELAY
        tasks.push_notice.enqueue(key=notice.occurrence, run_at=due, occurrence=notice.occurrence)


def listed(user: User) -> QuerySet[Notification]:
    """Return the notifications that `user` may see, latest first, with what their payload reads."""
    found = policies.visible_notifications(user).select_related(*_RELATED).defer(*_UNUSED)
    return found.order_by("-created_at", "-pk")


def unread_number(user: User) -> int:
    """Return how many notifications are unread, up to MAX_UNREAD + 1."""
    return len(_unread.rows(*user.kind, user_id=user.pk))


@CompiledQuery
def _unread(*kind: Any, user_id: UUID) -> QuerySet[Notification, tuple[UUID]]:
    unread = policies.visible_notifications(User.of_kind(*kind, pk=user_id)).filter(read_at=None)
    return unread.order_by().values_list("pk")[: MAX_UNREAD + 1]


def has_unread_change(user: User, ticket: Ticket) -> bool:
    """Return whether a notification is unread that names no message: its ticket's page shows what it is about."""
    return Notification.objects.filter(user=user, ticket=ticket, reply=None, read_at=None).exists()


def mark_read(user: User, ids: Iterable[UUID] | None = None, *, with_earlier: bool = False) -> int:
    """Mark notifications read, or all, or also the earlier ones of their tickets; return how many were unread."""
    if ids is None:
        return _read(user, Q())
    named = Notification.objects.filter(user=user, pk__in=list(ids))
    if not with_earlier:
        return _read(user, Q(pk__in=named.values("pk")))
    later = named.filter(ticket=OuterRef("ticket"), created_at__gte=OuterRef("created_at"))
    return _read(user, Q(Exists(later)))


@receiver(ticket_read)
def read_with_ticket(ticket: Ticket, by: User, number: int, **_: Any) -> None:
    """Mark read what the ticket's page has shown: its messages up to a number, and its other changes."""
    _read(by, Q(ticket=ticket) & (Q(reply=None) | Q(reply__number__lte=number)))


def withdraw(reply: Reply) -> None:
    """Remove from the log that people were notified of a message before it was deleted or changed its readers."""
    event_log.redact(reply.ticket.channel, event=TicketNotified.broadcast_as, containing=str(reply.pk))


@transaction.atomic
def _read(user: User, which: Q) -> int:
    unread = Notification.objects.filter(which, user=user, read_at=None).values("pk")
    number = Notification.objects.filter(pk__in=unread).update(read_at=timezone.now())
    if number:
        publish(NotificationsRead(user))
    return number


def prune() -> int:
    """Delete old notifications, also unread ones; return their number."""
    return Notification.objects.filter(created_at__lt=timezone.now() - RETENTION).delete()[0]


@receiver(post_delete, sender=Session)
def end_push(instance: Session, **_: Any) -> None:
    """End the push messages of a session: after a sign-out, a revocation, and its expiry."""
    PushSubscription.objects.filter(session_key=instance.session_key).delete()


@receiver(person_erased)
def forget(person: User, **_: Any) -> None:
    """Delete what an erased person has and is named in. Notifications about them show their neutral name."""
    Notification.objects.filter(user=person).delete()
    TicketSubscription.objects.filter(user=person).delete()
    Mention.objects.filter(user=person).delete()
    NotificationPreference.objects.filter(user=person).delete()
    PushSubscription.objects.filter(user=person).delete()
