"""People who were in copy (Cc) of a message become participants of its ticket."""

from django.core.exceptions import ValidationError

from accounts import customers
from accounts.models import User
from mail.inbound import identity
from mail.inbound.parsing import Address, Kind, ParsedMail
from mail.models import ReceivedMessage
from tickets import policies
from tickets.actors import Source
from tickets.people.participants import add_participant


def add_copied(message: ReceivedMessage, parsed: ParsedMail, user: User) -> None:
    """Add the people in copy of a verified message of staff of the ticket, or of its customer."""
    ticket = message.ticket
    is_verified = message.identity == ReceivedMessage.Identity.VERIFIED
    if ticket is None or not is_verified or message.is_spam or parsed.kind is not Kind.PERSONAL:
        return
    if not policies.can_add_participant(user, ticket, Source.MAIL):
        return
    for address in parsed.copied:
        person = _person(message, address)
        if person is None or policies.takes_part(person, ticket) or policies.is_staff_of(person, ticket):
            continue
        try:
            add_participant(ticket, by=user, person=person, source=Source.MAIL)
        except ValidationError:  # there are too many
            return


def _person(message: ReceivedMessage, address: Address) -> User | None:
    """Return an active person with this address, or a new one if the mailbox takes them; None for the desk's own."""
    if identity.is_own_address(address.email) or message.mailbox.blocks(address.email):
        return None
    found = customers.find_by_address(address.email)
    if found is None:
        accepts = message.mailbox.adds_unknown_copies
        return customers.customer_for_address(address.email, address.name) if accepts else None
    return found if found.is_active else None
