"""Tickets: their properties, their sequences and their channels."""

import secrets
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from accounts.text.lines import validate_line
from realtime import Audience
from tickets.actors import Source
from tickets.markdown.stored import RenderedMessage
from tickets.models.choices import Priority, Status, Tag

# No vowels and no characters that look alike: the code can be read out on the telephone, and spells no word.
REFERENCE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
MAX_SUBJECT = 200
MAX_MESSAGE = 50_000


def new_reference() -> str:
    """Return a random code such as K7F-Q2MD, one of 27^7 (10 billion). It does not reveal the number of tickets."""
    code = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(7))
    return f"{code[:3]}-{code[3:]}"


class WaitingFor(models.TextChoices):
    """The side that has to write next."""

    STAFF = "staff"
    CUSTOMER = "customer"


class Ticket(RenderedMessage):
    """A customer's request with its properties; the conversation is its replies."""

    text_field = "content"
    # Large fields that only the ticket's page reads.
    MESSAGE_FIELDS = ("content", "rendered")
    # Fields that decide who may read the ticket.
    ACCESS_FIELDS = ("assigned_to", "office")
    # What a change may be about that decides who may read the ticket.
    ACCESS_CHANGES = (*ACCESS_FIELDS, "participants")
    # Relations that a payload reads.
    RELATED = ("status", "priority", "office", "creator", "opened_by", "assigned_to")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(_("reference"), max_length=8, unique=True, default=new_reference, editable=False)
    subject = models.CharField(_("subject"), max_length=MAX_SUBJECT, validators=[validate_line])
    content = models.TextField(_("message"), max_length=MAX_MESSAGE)
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="created_tickets", verbose_name=_("customer")
    )
    # The member of staff who opened the ticket for its customer.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("opened by"),
    )
    source = models.CharField(_("source"), max_length=4, choices=Source.choices, default=Source.PAGE, editable=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_tickets",
        verbose_name=_("assignee"),
    )
    office = models.ForeignKey(Office, models.PROTECT, related_name="tickets", verbose_name=_("office"))
    status = models.ForeignKey(Status, models.PROTECT, related_name="tickets", verbose_name=_("status"))
    priority = models.ForeignKey(Priority, models.PROTECT, related_name="tickets", verbose_name=_("priority"))
    tags = models.ManyToManyField(Tag, related_name="tickets", blank=True, verbose_name=_("tags"))
    # Incremented when an editable field changes; replies and notes do not change it.
    version = models.PositiveIntegerField(default=1, editable=False)
    # Identifies the form submission: submitted twice, it opens one ticket.
    request_key = models.UUIDField(null=True, editable=False)
    # What that form submitted beside the text: without it, the same text counts as the same submission.
    request_fingerprint = models.CharField(max_length=64, null=True, editable=False)
    public_seq = models.PositiveIntegerField(default=0, editable=False)
    staff_seq = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    # Shown to customers: a note does not change it.
    public_updated_at = models.DateTimeField(default=timezone.now, editable=False)
    # The latest message for staff and for customers: `Reply.number`, 0 for the ticket's first message; and its time.
    last_number = models.PositiveIntegerField(default=0, editable=False)
    last_message_at = models.DateTimeField(default=timezone.now, editable=False)
    last_public_number = models.PositiveIntegerField(default=0, editable=False)
    last_public_message_at = models.DateTimeField(default=timezone.now, editable=False)
    # Who has to write next, and since when: the first unanswered message. Notes don't count.
    waiting_for = models.CharField(max_length=8, choices=WaitingFor.choices, default=WaitingFor.STAFF, editable=False)
    waiting_since = models.DateTimeField(default=timezone.now, editable=False)
    # Until then staff do not see it among open tickets; a job ends it. And who chose so last.
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, editable=False)
    snoozed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, db_index=False, related_name="+"
    )
    # The ticket in which its matter goes on, since when, by which decision, and the status that an undo brings back.
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, db_index=False, related_name="merged_tickets"
    )
    merged_at = models.DateTimeField(null=True, editable=False)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, db_index=False, related_name="+"
    )
    status_before_merge = models.ForeignKey(
        Status, models.SET_NULL, null=True, editable=False, db_index=False, related_name="+"
    )
    # Since when its status is a closed one; null while it is open. Open tickets have indexes of their own.
    closed_at = models.DateTimeField(null=True, editable=False)
    # The first public reply of staff.
    first_replied_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-updated_at"]
        constraints = [
            # codespell:ignore-next-line hear
            models.CheckConstraint(condition=Q(public_seq__lte=F("staff_seq")), name="staff_hear_all"),
            models.CheckConstraint(condition=~Q(subject=""), name="a_ticket_has_a_subject"),
        ]
        indexes = [
            models.Index(fields=["office", "-updated_at"], name="ticket_office"),
            models.Index(fields=["creator", "-public_updated_at"], name="ticket_creator"),
            models.Index(fields=["assigned_to", "-updated_at"], name="ticket_assignee"),
            models.Index(fields=["-updated_at"], name="ticket_updated"),
            # Of reports.
            models.Index(fields=["created_at"], name="ticket_created"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="ticket_closed"),
            models.Index(fields=["-updated_at"], condition=Q(closed_at=None), name="ticket_open"),
            models.Index(fields=["office", "-updated_at"], condition=Q(closed_at=None), name="ticket_open_office"),
            models.Index(fields=["assigned_to"], condition=Q(closed_at=None), name="ticket_open_assignee"),
            models.Index(
                fields=["waiting_since"], condition=Q(closed_at=None, waiting_for="staff"), name="ticket_open_waiting"
            ),
            models.Index(fields=["merged_into"], condition=~Q(merged_into=None), name="ticket_merged"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("tickets:detail", args=[self.uuid])

    @property
    def channel(self) -> str:
        """The channel of this ticket's events."""
        return f"private-tickets.{self.uuid}"

    @property
    def presence_channel(self) -> str:
        """The channel of the staff who are viewing this ticket."""
        return f"presence-tickets.{self.uuid}"

    @property
    def channels(self) -> list[str]:
        """All channels of this ticket: a revocation that concerns the ticket reauthorizes each."""
        return [self.channel, self.presence_channel]

    @property
    def is_merged(self) -> bool:
        """Whether its matter goes on in another ticket; False again once that is deleted."""
        return self.merged_into_id is not None

    def set_status(self, status: Status) -> None:
        """Set the status, and since when the ticket is closed."""
        self.status = status
        self.closed_at = (self.closed_at or timezone.now()) if status.is_closed else None

    def seq(self, audience: Audience) -> int:
        """Return the sequence number of the last event of this ticket for `audience`."""
        return self.staff_seq if audience is Audience.STAFF else self.public_seq

    def advance(self, audience: Audience) -> None:
        """Take a new time and sequence number; the customers' ones change for public changes only."""
        self.updated_at = timezone.now()
        if audience is Audience.PUBLIC:
            self.public_updated_at = self.updated_at
        self.advance_sequence(audience)

    def advance_sequence(self, audience: Audience) -> None:
        """Take a new sequence number for an event that changes no time."""
        self.staff_seq += 1
        if audience is Audience.PUBLIC:
            self.public_seq += 1

    def last_message(self, audience: Audience) -> int:
        """Return the number of the latest message that `audience` may read; 0 is the ticket's first message."""
        return self.last_number if audience is Audience.STAFF else self.last_public_number

    @property
    def snooze_end(self) -> datetime | None:
        """When its snooze ends; None if it has: the time counts, also if no job has ended it."""
        until: datetime | None = self.snoozed_until
        return until if until is not None and until > timezone.now() else None

    def changed_at(self, audience: Audience) -> Any:
        """Return the time of the last change that `audience` may see."""
        return self.updated_at if audience is Audience.STAFF else self.public_updated_at


def tags_of(ticket: Ticket) -> list[Tag]:
    """Return the tags of a ticket, which only its staff may see: read once for an instance of the ticket."""
    prefetch_related_objects([ticket], "tags")
    return list(ticket.tags.all())
