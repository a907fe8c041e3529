"""What staff write down about a customer."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MAX_CUSTOMER_NOTE = 5000


def customer_channel(person_id: Any) -> str:
    """Return the channel of the notes about a customer, for those who may read them."""
    return f"private-customers.{person_id}"


class CustomerNote(models.Model):
    """A private note about a customer, for staff of one of their tickets. The customer never sees it."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="customer_notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(_("note"), max_length=MAX_CUSTOMER_NOTE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("note about a customer")
        verbose_name_plural = _("notes about customers")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def channel(self) -> str:
        """The channel that says when the notes about the customer change."""
        return customer_channel(self.customer_id)
