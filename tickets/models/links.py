"""Links between two related tickets."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.tickets import Ticket


class TicketLink(models.Model):
    """Two tickets that staff related, without a direction: `first` is the one with the lower key."""

    first = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    second = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, editable=False, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_link_of_two_tickets"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="a_link_has_no_direction"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id}"
