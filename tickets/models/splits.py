"""Messages that were split into tickets of their own."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.replies import Reply
from tickets.models.tickets import Ticket


class TicketSplit(models.Model):
    """A message of `ticket`, its first one if `reply` is null, from which `created` was opened."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="splits")
    reply = models.ForeignKey(Reply, models.CASCADE, null=True, related_name="+")
    created = models.OneToOneField(Ticket, models.CASCADE, related_name="split_from")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("split message")
        verbose_name_plural = _("split messages")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.created_id}"
