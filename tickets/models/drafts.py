"""Messages that people are still writing."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.tickets import Ticket


class Draft(models.Model):
    """What a person is writing: a reply or note to a ticket, or a new ticket. Only they may read it.

    A draft that was sent or deleted stays for a while, empty: a page that does not know it yet has an older version.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    # None for a new ticket.
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="drafts")
    text = models.TextField()
    is_internal = models.BooleanField(default=False)
    # The other fields of a new ticket's form, by name.
    values = models.JSONField(default=dict)
    # The ids of uploads that are not sent yet, in order.
    files = models.JSONField(default=list)
    is_empty = models.BooleanField()
    # Counts the changes: a page names the version that it has changed.
    version = models.PositiveIntegerField()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(fields=["user", "ticket"], name="one_draft_a_ticket"),
            models.UniqueConstraint(fields=["user"], condition=Q(ticket=None), name="one_draft_of_a_new_ticket"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.version}"
