"""People who take part in a ticket beside its customer."""

from django.conf import settings
from django.db import models
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.tickets import Ticket

MAX_PARTICIPANTS = 20  # of a ticket: each of its events goes to each of them


class ParticipantManager(models.Manager["Participant"]):
    """Reads the users with the participants."""

    def get_queryset(self) -> models.QuerySet["Participant"]:
        return super().get_queryset().select_related("user")


class Participant(models.Model):
    """A person who reads the public conversation of a ticket and may reply, as its customer does."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("participant")
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    objects = ParticipantManager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="one_participant_a_person")]

    def __str__(self) -> str:
        return str(self.user)


def participants_of(ticket: Ticket) -> list[Participant]:
    """Return the participants in the order in which they were added: read once for an instance of the ticket."""
    prefetch_related_objects([ticket], "participants")
    return list(ticket.participants.all())
