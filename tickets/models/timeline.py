"""The timeline of a ticket: who did what and when."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime import Audience
from tickets.actors import Actor, Cause, Source, System
from tickets.models.tickets import Ticket


class TimelineEntry(models.Model):
    """One entry in a ticket's timeline: an actor, an action and a time."""

    class Action(models.TextChoices):
        CREATED = "created", _("opened the ticket")
        REPLIED = "replied", _("replied")
        NOTED = "noted", _("wrote an internal note")
        EDITED = "edited", _("edited a message")
        DELETED = "deleted", _("deleted a message")
        PUBLISHED = "published", _("published an internal note")
        HIDDEN = "hidden", _("hid a reply")
        STATUS = "status", _("changed the status")
        PRIORITY = "priority", _("changed the priority")
        ASSIGNED_TO = "assigned_to", _("changed the assignee")
        OFFICE = "office", _("moved the ticket")
        SUBJECT = "subject", _("changed the subject")
        PARTICIPANTS = "participants", _("changed the participants")
        TAGS = "tags", _("changed the tags")
        SNOOZED_UNTIL = "snoozed_until", _("changed the snooze")
        LINKED = "linked", _("linked a related ticket")
        UNLINKED = "unlinked", _("removed a related ticket")
        MACRO = "macro", _("applied a macro")
        MERGED = "merged", _("merged the ticket into another one")
        UNMERGED = "unmerged", _("ended the merge")
        SPLIT = "split", _("split a message into a new ticket")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="timeline")
    # Null for the system, whose `cause` is given instead.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    cause = models.CharField(_("cause"), max_length=8, choices=Cause.choices, blank=True)
    # How the message of this entry was written.
    source = models.CharField(_("source"), max_length=4, choices=Source.choices, default=Source.PAGE)
    action = models.CharField(max_length=16, choices=Action.choices)
    audience = models.CharField(max_length=6, choices=Audience.choices)
    # The previous and the new assignee, a removed or an added participant, or the author of a message whose
    # visibility changed. Their names are not stored: how customers see them is decided on reading.
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
            ),
            models.CheckConstraint(
                condition=Q(actor__isnull=False, cause="") | Q(Q(actor__isnull=True), ~Q(cause="")),
                name="a_user_or_the_system",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.ticket_id}"

    @property
    def is_about_people(self) -> bool:
        """Whether its values are users, not stored names."""
        return self.action in (self.Action.ASSIGNED_TO, self.Action.PARTICIPANTS)

    @property
    def by(self) -> Actor:
        """The user or the system."""
        return System(Cause(self.cause)) if self.actor is None else self.actor

    def values(self, audience: Audience) -> dict[str, str | None]:
        """Return {from, to} as `audience` may read them."""
        return self.staff if audience is Audience.STAFF else self.public or {}
