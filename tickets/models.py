"""Models: tickets, their conversation, their attachments and their timeline."""

import secrets
import uuid
from typing import Any, Self

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.lines import validate_line
from accounts.models import Office
from realtime import Audience
from tickets.markdown.stored import RenderedMessage

# No vowels and no characters that look alike: the code can be read out on the telephone, and spells no word.
REFERENCE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
MAX_SUBJECT = 200
MAX_MESSAGE = 50_000

# Raster images, which cannot carry scripts. SVG can.
INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

hex_color = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Enter a colour as #rrggbb."))


def new_reference() -> str:
    """Return a random code such as K7F-Q2MD, one of 27^7 (10 billion). It does not reveal the number of tickets."""
    code = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(7))
    return f"{code[:3]}-{code[3:]}"


def attachment_storage() -> Storage:
    """Return the storage of attachments, outside any public folder."""
    return storages["attachments"]


class Choice(models.Model):
    """A named, coloured, ordered value that admins manage."""

    name = models.CharField(_("name"), max_length=40, unique=True, validators=[validate_line])
    color = models.CharField(_("colour"), max_length=7, validators=[hex_color])
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_default = models.BooleanField(_("default"), default=False, help_text=_("Default for new tickets."))

    class Meta:
        abstract = True
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def default(cls) -> Self:
        """Return the value of new tickets: the default, else the first one. Raises LookupError if there is none."""
        return cls._default_manager.order_by("-is_default", "order").first() or cls._missing()

    @classmethod
    def _missing(cls) -> Self:
        raise LookupError(f"There is no {cls._meta.verbose_name}: create one in the admin.")


class Status(Choice):
    """The status of a ticket, such as Open or Closed."""

    is_closed = models.BooleanField(_("closed"), default=False, help_text=_("Counts as closed."))
    awaits_customer = models.BooleanField(
        _("waiting for the customer"),
        default=False,
        help_text=_("When the customer replies, the ticket returns to the default status."),
    )

    class Meta(Choice.Meta):
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_status"),
            # A closed status reopens at the customer's reply anyway.
            models.CheckConstraint(
                condition=Q(is_closed=False) | Q(awaits_customer=False),
                name="closed_awaits_no_customer",
                violation_error_message=_("A closed status can't wait for the customer."),
            ),
        ]

    @property
    def ends_with_reply(self) -> bool:
        """Whether a reply of the customer ends it."""
        return self.is_closed or self.awaits_customer

    @classmethod
    def after_reply(cls) -> "Status | None":
        """Return the status after a reply of the customer: the default, or the first one that staff work on.

        None if every status is closed or waits for the customer.
        """
        worked_on = cls.objects.filter(is_closed=False, awaits_customer=False)
        return worked_on.order_by("-is_default", "order", "pk").first()


class Priority(Choice):
    """The urgency of a ticket."""

    class Meta(Choice.Meta):
        verbose_name = _("priority")
        verbose_name_plural = _("priorities")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_priority")
        ]


class Ticket(RenderedMessage):
    """A customer's request with its properties; the conversation is its replies."""

    text_field = "content"
    # Large fields that only the ticket's page reads.
    MESSAGE_FIELDS = ("content", "rendered")
    # Fields that decide who may read the ticket.
    ACCESS_FIELDS = ("assigned_to", "office")
    # Relations that a payload reads.
    RELATED = ("status", "priority", "office", "creator", "assigned_to")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(_("reference"), max_length=8, unique=True, default=new_reference, editable=False)
    subject = models.CharField(_("subject"), max_length=MAX_SUBJECT, validators=[validate_line])
    content = models.TextField(_("message"), max_length=MAX_MESSAGE)
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="created_tickets", verbose_name=_("customer")
    )
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

    def changed_at(self, audience: Audience) -> Any:
        """Return the time of the last change that `audience` may see."""
        return self.updated_at if audience is Audience.STAFF else self.public_updated_at


class Reply(RenderedMessage):
    """A message in a ticket's conversation: a reply to the customer, or an internal note."""

    text_field = "message"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="replies")
    message = models.TextField(_("message"), max_length=MAX_MESSAGE)
    is_internal = models.BooleanField(_("internal note"), default=False)
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
    def can_be_hidden(self) -> bool:
        """Whether it may be made internal: customers always see their own messages."""
        return not self.is_internal and self.author_id != self.ticket.creator_id


class SearchText(models.Model):
    """The text in which search looks: of a ticket with its reference and subject, or of a reply or note.

    On SQLite triggers copy it to the indexes; see migration 0012 before changing a field.
    """

    id = models.BigAutoField(primary_key=True)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="search_texts")
    reply = models.OneToOneField(Reply, models.CASCADE, null=True, related_name="search_text")
    is_internal = models.BooleanField(default=False)
    # As `accounts.folding.searchable` returns it.
    text = models.TextField()
    # The FOLDING_VERSION of its time.
    version = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("searchable text")
        verbose_name_plural = _("searchable texts")
        constraints = [
            models.UniqueConstraint(fields=["ticket"], condition=Q(reply=None), name="one_text_of_a_ticket")
        ]

    def __str__(self) -> str:
        return self.text[:60]


def unguessable_path(attachment: "Attachment", filename: str) -> str:
    """Return a random storage path, spread over 256 folders."""
    name = secrets.token_hex(32)
    return f"{name[:2]}/{name}"


class Attachment(models.Model):
    """A file of a ticket or of one of its replies. Until it is sent it belongs to its uploader only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="uploads")
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="attachments")
    reply = models.ForeignKey(Reply, models.CASCADE, null=True, related_name="attachments")
    filename = models.CharField(_("file name"), max_length=150)
    size = models.PositiveIntegerField(_("size"), help_text=_("In bytes."))
    content_type = models.CharField(_("type"), max_length=100)
    # In hexadecimal; null for files from before it was stored.
    sha256 = models.CharField(max_length=64, null=True, editable=False)
    file = models.FileField(_("file"), storage=attachment_storage, upload_to=unguessable_path, max_length=100)
    # Position among the files of one message.
    place = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["place", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reply__isnull=True) | Q(ticket__isnull=False), name="a_replys_file_is_its_tickets"
            )
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_image(self) -> bool:
        """Whether browsers may show it inline."""
        return self.content_type in INLINE_TYPES


class TimelineEntry(models.Model):
    """One entry in a ticket's timeline: an actor, an action and a time."""

    class Action(models.TextChoices):
        CREATED = "created", _("opened the ticket")
        REPLIED = "replied", _("replied")
        NOTED = "noted", _("wrote an internal note")
        DELETED = "deleted", _("deleted a message")
        PUBLISHED = "published", _("published an internal note")
        HIDDEN = "hidden", _("hid a reply")
        STATUS = "status", _("changed the status")
        PRIORITY = "priority", _("changed the priority")
        ASSIGNED_TO = "assigned_to", _("changed the assignee")
        OFFICE = "office", _("moved the ticket")
        SUBJECT = "subject", _("changed the subject")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="timeline")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    action = models.CharField(max_length=12, choices=Action.choices)
    audience = models.CharField(max_length=6, choices=Audience.choices)
    # The previous and the new assignee, or the author of a message whose visibility changed. Their names are not
    # stored: how customers see them is decided on reading.
    from_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_column="from_person_id"
    )
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_column="to_person_id"
    )
    # {"from": name or null, "to": name or null} for each audience; empty for users.
    public = models.JSONField(null=True)
    staff = models.JSONField(default=dict)
    # The ticket's staff sequence at this change.
    number = models.PositiveIntegerField(editable=False)
    # The ticket's version after this change.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["pk"]
        indexes = [models.Index(fields=["ticket", "id"], name="timeline_of_ticket")]
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="staff", public__isnull=True) | Q(audience="public", public__isnull=False),
                name="public_lines_have_public_words",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.ticket_id}"

    def values(self, audience: Audience) -> dict[str, str | None]:
        """Return {from, to} as `audience` may read them."""
        return self.staff if audience is Audience.STAFF else self.public or {}


class IdempotencyKey(models.Model):
    """An Idempotency-Key of an API request, and what that request created; kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_column="person_id")
    key = models.CharField(max_length=255)
    # SHA-256 of the path and the body.
    fingerprint = models.CharField(max_length=64)
    result_id = models.UUIDField(null=True, db_column="made")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "tickets_madeonce"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="a_key_is_used_once")]

    def __str__(self) -> str:
        return self.key
