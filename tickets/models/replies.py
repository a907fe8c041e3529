"""Messages of a conversation: replies and internal notes."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime import Audience
from tickets.actors import Source
from tickets.markdown.stored import RenderedMessage
from tickets.models.tickets import MAX_MESSAGE, Ticket


class Reply(RenderedMessage):
    """A message in a ticket's conversation: a reply to the customer, or an internal note."""

    text_field = "message"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="replies")
    message = models.TextField(_("message"), max_length=MAX_MESSAGE)
    is_internal = models.BooleanField(_("internal note"), default=False)
    source = models.CharField(_("source"), max_length=4, choices=Source.choices, default=Source.PAGE, editable=False)
    # Position in the conversation, set under the ticket's lock: the clocks of several servers would disagree.
    number = models.PositiveIntegerField(editable=False)
    # Identifies the form submission: submitted twice, it makes one reply.
    request_key = models.UUIDField(null=True, editable=False)
    # What that form submitted beside the text: without it, the same text counts as the same submission.
    request_fingerprint = models.CharField(max_length=64, null=True, editable=False)
    # True once a reply became a note or a note a reply: a repeated form then differs from the row in `is_internal`.
    visibility_changed = models.BooleanField(default=False, editable=False, db_column="was_turned")
    # For a note that was made public, the time of that change.
    created_at = models.DateTimeField(_("sent"), default=timezone.now, editable=False)
    # Its last edit as readers see it: none for a note that was edited and then made public.
    edited_at = models.DateTimeField(_("edited"), null=True, editable=False)
    # The ticket's staff sequence at that edit.
    edited_number = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["ticket", "number"], name="one_reply_a_place")]

    def __str__(self) -> str:
        return self.message[:60]

    @property
    def audience(self) -> Audience:
        """The audience that may read it."""
        return Audience.STAFF if self.is_internal else Audience.PUBLIC

    @property
    def version(self) -> int:
        """A number that rises with each edit and publication; for staff only, since it counts notes."""
        return self.edited_number or self.number

    @property
    def editable_until(self) -> datetime | None:
        """The time at which its author can no longer edit it; None if messages cannot be edited."""
        minutes = settings.REPLY_EDIT_MINUTES
        return self.created_at + timedelta(minutes=minutes) if minutes else None

    @property
    def can_be_hidden(self) -> bool:
        """Whether it may be made internal: customers always see their own messages."""
        is_customers = self.author.is_customer or self.author_id == self.ticket.creator_id
        return not self.is_internal and not is_customers


class ReplyRevision(models.Model):
    """The text of a message before an edit: staff of the ticket may read it."""

    reply = models.ForeignKey(Reply, models.CASCADE, related_name="revisions")
    message = models.TextField(max_length=MAX_MESSAGE)
    # When this text was written.
    written_at = models.DateTimeField()

    class Meta:
        verbose_name = _("earlier version")
        verbose_name_plural = _("earlier versions")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.message[:60]
