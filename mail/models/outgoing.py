"""Mails owed to people."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models import NotificationKind, Reply, Ticket


class OutgoingMail(models.Model):
    """A mail owed to one person about one event. It is sent once, or shows why not."""

    class State(models.TextChoices):
        """What became of it."""

        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        BOUNCED = "bounced", _("Bounced")
        CANCELLED = "cancelled", _("Cancelled")

    UNSENT = (State.QUEUED, State.FAILED, State.BOUNCED)
    # Only the latest of several is worth a mail.
    LATEST_ONLY = frozenset({NotificationKind.STATUS, NotificationKind.ASSIGNED})

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Names the effect: the same one is owed once. Also the key of the job that sends it.
    key = models.CharField(max_length=200, unique=True)
    event = models.CharField(_("about"), max_length=20, choices=NotificationKind.choices)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("recipient")
    )
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", verbose_name=_("ticket"))
    reply = models.ForeignKey(Reply, models.CASCADE, null=True, related_name="+")
    # Of the daily summary that has it, in the recipient's time zone; None for a mail of its own.
    digest_day = models.DateField(null=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(_("reason"), blank=True)
    # Of the mail that was sent, without angle brackets.
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    ended_at = models.DateTimeField(_("sent or failed"), null=True)

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        indexes = [
            models.Index(fields=["ticket", "state"], name="mails_of_a_ticket"),
            models.Index(
                fields=["state", "ended_at"],
                name="mails_not_sent",
                condition=Q(state__in=["queued", "failed", "bounced"]),
            ),
            models.Index(fields=["recipient", "digest_day"], name="mails_of_a_digest", condition=~Q(digest_day=None)),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def occurrence(self) -> str:
        """What names the event: see `Notice.occurrence`."""
        return self.key.removeprefix(f"{self.event} ").removesuffix(f" {self.recipient_id}")

    def change_state(self, state: "OutgoingMail.State", *, reason: str = "") -> bool:
        """Record what became of it, unless its state was changed meanwhile; return whether it was not."""
        changes = {
            "state": state,
            "reason": reason,
            "ended_at": None if state == self.State.QUEUED else timezone.now(),
        }
        if not OutgoingMail.objects.filter(pk=self.pk, state=self.state).update(**changes):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        return True
