"""Received messages: stored as they came, before anything is done with them."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mail.models.mailboxes import Mailbox
from tickets.models import Reply, Ticket


class ReceivedMessage(models.Model):
    """A message that a mailbox received, and what became of it: a ticket, a reply, or a reason why neither."""

    class State(models.TextChoices):
        """Where a message is."""

        RECEIVED = "received", _("Waiting")
        PROCESSED = "processed", _("Delivered")
        HELD = "held", _("Held")
        IGNORED = "ignored", _("Ignored")
        FAILED = "failed", _("Failed")

    class Identity(models.TextChoices):
        """Whether the sender is who the message says."""

        UNKNOWN = "", _("Unknown")
        VERIFIED = "verified", _("Verified")
        UNVERIFIED = "unverified", _("Not verified")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mailbox = models.ForeignKey(Mailbox, models.PROTECT, related_name="received_messages", verbose_name=_("mailbox"))
    # None once the retention time is over.
    raw = models.BinaryField(null=True)
    size = models.PositiveIntegerField(_("size"), help_text=_("In bytes."))
    # SHA-256 of what makes it this message; see mail.inbound.storage.
    fingerprint = models.CharField(max_length=64)
    message_id = models.CharField("Message-ID", max_length=255, blank=True)
    copies = models.PositiveIntegerField(_("received times"), default=1)
    sender = models.CharField(_("sender"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    identity = models.CharField(_("sender is"), max_length=10, choices=Identity.choices, blank=True)
    # Sent by a program: never answered automatically (RFC 3834).
    is_automatic = models.BooleanField(_("automatic"), default=False)
    # The spam filter of the mailbox says so: never answered automatically, also after an admin has delivered it.
    is_spam = models.BooleanField(_("spam"), default=False, db_default=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.RECEIVED)
    # A code of mail.inbound.reasons.
    reason = models.CharField(max_length=40, blank=True)
    # What the reason's sentence names.
    detail = models.CharField(max_length=500, blank=True)
    # An admin let it pass: it is not held again.
    is_approved = models.BooleanField(default=False, editable=False)
    ticket = models.ForeignKey(
        Ticket, models.SET_NULL, null=True, related_name="received_messages", verbose_name=_("ticket")
    )
    reply = models.ForeignKey(Reply, models.SET_NULL, null=True, related_name="received_messages")
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    processed_at = models.DateTimeField(_("processed"), null=True)

    class Meta:
        verbose_name = _("received message")
        verbose_name_plural = _("received messages")
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "fingerprint"], name="one_message_per_mailbox"),
        ]
        indexes = [
            models.Index(fields=["state", "-received_at"], name="received_by_state"),
            models.Index(fields=["message_id"], name="received_message_id", condition=~Q(message_id="")),
        ]

    def __str__(self) -> str:
        return self.subject or self.message_id or str(self.pk)
