"""What people are notified of: one row for a person and an event, and the tickets they follow or have muted."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.replies import Reply
from tickets.models.tickets import Ticket


class NotificationKind(models.TextChoices):
    """What people are notified of, in the app and by mail. A receipt is a mail only."""

    RECEIPT = "receipt", _("Confirmation of a new ticket")
    REPLY = "reply", _("Reply to your ticket")
    STATUS = "status", _("Your ticket was closed")
    JOINED = "joined", _("Added to a ticket")
    ASSIGNED = "assigned", _("Ticket assigned to you")
    NEW_TICKET = "new_ticket", _("New ticket in your offices")
    CUSTOMER_REPLY = "customer_reply", _("Customer's reply to your ticket")
    NOTE = "note", _("Internal note in your ticket")
    MENTION = "mention", _("Mention of you in an internal note")
    RETURNED = "returned", _("Snoozed ticket is back")


# Written for staff of the ticket.
STAFF_KINDS = frozenset(
    {
        NotificationKind.ASSIGNED,
        NotificationKind.NEW_TICKET,
        NotificationKind.CUSTOMER_REPLY,
        NotificationKind.NOTE,
        NotificationKind.MENTION,
        NotificationKind.RETURNED,
    }
)
# A person who has muted the ticket is notified nevertheless.
PERSONAL_KINDS = frozenset(
    {
        NotificationKind.RECEIPT,
        NotificationKind.ASSIGNED,
        NotificationKind.MENTION,
        NotificationKind.JOINED,
        NotificationKind.RETURNED,
    }
)


class Notification(models.Model):
    """An event that a person is notified of, once. Whether they may still see it is asked again: `policies`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20, choices=NotificationKind.choices)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    reply = models.ForeignKey(Reply, models.CASCADE, null=True, related_name="+")
    # Who did it; null for the system.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    # Names the event, see `Notice.occurrence`.
    occurrence = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    # When a page has shown it as a toast, or on the desktop: then it is not pushed.
    shown_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "occurrence"], name="one_notification_an_event"),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notifications_of_a_person"),
            models.Index(fields=["user", "ticket"], condition=Q(read_at=None), name="notifications_unread"),
            models.Index(fields=["created_at"], name="notifications_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurrence}"


class TicketSubscription(models.Model):
    """A ticket that a person follows or has muted. Without a row they are notified of what concerns them."""

    class Level(models.TextChoices):
        """How much a person is notified of a ticket."""

        FOLLOWED = "followed", _("Following")
        MUTED = "muted", _("Muted")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="subscriptions")
    level = models.CharField(max_length=10, choices=Level.choices)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="one_subscription_a_person")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.level}"


class NotificationPreference(models.Model):
    """How a person is notified of one kind of event. Without a row it is the default."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=NotificationKind.choices)
    in_app = models.BooleanField()
    # Of what is notified in the app, while no page of the desk is looked at.
    desktop = models.BooleanField()
    sound = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_preference_a_kind")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
