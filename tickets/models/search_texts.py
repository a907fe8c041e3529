"""The texts in which search looks."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets.models.replies import Reply
from tickets.models.tickets import Ticket


class SearchText(models.Model):
    """The text in which search looks: of a ticket with its reference and subject, or of a reply or note.

    On SQLite triggers copy it to the indexes; see migration 0012 before changing a field.
    """

    id = models.BigAutoField(primary_key=True)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="search_texts")
    reply = models.OneToOneField(Reply, models.CASCADE, null=True, related_name="search_text")
    is_internal = models.BooleanField(default=False)
    # As `accounts.text.folding.searchable` returns it.
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
