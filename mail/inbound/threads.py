"""The ticket that a message answers."""

from accounts.models import User
from mail import addresses
from mail.inbound.parsing import ParsedMail
from mail.models import ReceivedMessage
from mail.outbound import threads
from tickets import policies
from tickets.models import Ticket


def find_ticket(message: ReceivedMessage, parsed: ParsedMail, user: User) -> Ticket | None:
    """Return the ticket that the message answers, by its reply address or else its references; None for a new one.

    A message whose sender is not verified, or may not reply to the ticket, opens a new one. What answers
    a merged ticket belongs to the other one, where no more people read it.
    """
    if message.identity != ReceivedMessage.Identity.VERIFIED:
        return None
    ticket = _addressed(parsed) or threads.find_ticket(reversed(parsed.references))
    if ticket is None or not policies.can_reply(user, ticket):
        return None
    return policies.ticket_of_answer(user, ticket)


def _addressed(parsed: ParsedMail) -> Ticket | None:
    targets = (addresses.parse_reply_address(recipient) for recipient in parsed.recipients)
    return next((target.ticket for target in targets if target is not None), None)
