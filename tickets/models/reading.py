"""What each person has read."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.tickets import Ticket


class ReadMark(models.Model):
    """How far a person has read a ticket: the number of the last message that was on their screen.

    Without a mark a person has read nothing of a ticket, apart from what is older than `User.unread_from`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="read_marks")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="read_marks")
    # `Reply.number`; 0 is the ticket's first message. Below 0: nothing, the person marked it unread.
    number = models.IntegerField()
    # When the mark reached this number.
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("read mark")
        verbose_name_plural = _("read marks")
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="one_read_mark_a_person")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.number}"
