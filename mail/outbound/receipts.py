"""What became of the mails about a ticket's messages, for their receipts."""

from typing import Any

from django.db.models import F, Q
from django.dispatch import receiver

from accounts.models import User
from mail.models import OutgoingMail
from tickets.models import Ticket
from tickets.reading.receipts import SentMail, State
from tickets.signals import receipts_collected

STATES = {
    OutgoingMail.State.SENT: State.MAILED,
    OutgoingMail.State.FAILED: State.FAILED,
    OutgoingMail.State.BOUNCED: State.BOUNCED,
}
TO_CUSTOMERS = Q(recipient__role=User.Role.CUSTOMER) | Q(recipient=F("ticket__creator"))


@receiver(receipts_collected)
def mails_about(ticket: Ticket, **_: Any) -> list[SentMail]:
    """Return the mails to customers about replies that were sent, failed or came back."""
    mails = OutgoingMail.objects.filter(TO_CUSTOMERS, ticket=ticket, reply__isnull=False, state__in=STATES)
    return [
        SentMail(mail.reply_id, mail.recipient, STATES[OutgoingMail.State(mail.state)], mail.ended_at)
        for mail in mails.select_related("recipient").order_by("created_at")
    ]
