"""Message-IDs, by which mail programs put the messages of a ticket into one thread."""

from django.db import models
from django.db.models import Q

from tickets.models import Reply, Ticket


class MessageId(models.Model):
    """The Message-ID of a public message: of the mail in which it came, or a random one of ours.

    It is the same for all recipients, so that their answers name the same message.
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    # None for the message that opened the ticket.
    reply = models.OneToOneField(Reply, models.CASCADE, null=True, related_name="+")
    # Without angle brackets.
    value = models.CharField(max_length=995, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket"], condition=Q(reply=None), name="one_message_id_of_an_opening")
        ]

    def __str__(self) -> str:
        return self.value
