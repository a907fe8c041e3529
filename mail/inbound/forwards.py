"""Messages that staff forward to a mailbox: they open a ticket of the person who wrote first."""

from accounts.models import User
from accounts.policies import works_in
from mail.inbound.parsing import Forwarded, ParsedMail
from mail.models import ReceivedMessage


def forwarded_for_others(message: ReceivedMessage, parsed: ParsedMail, user: User) -> Forwarded | None:
    """Return the forwarded message, if `user` is verified and may open tickets of others in the mailbox's office."""
    forwarded = parsed.forwarded
    is_verified = message.identity == ReceivedMessage.Identity.VERIFIED
    if forwarded is None or not is_verified or forwarded.sender.email == message.sender:
        return None
    is_theirs = not user.is_customer and works_in(user, message.mailbox.office_id)
    return forwarded if is_theirs else None
