"""The mailbox that a mail server or provider means."""

from mail.models import Mailbox


class NoMailbox(Exception):
    """There is no such active mailbox, or it is unclear which one is meant."""


def find(address: str) -> Mailbox:
    """Return the active mailbox with an address; without one, the only active mailbox. Raises NoMailbox."""
    active = Mailbox.objects.filter(is_active=True)
    found = list(active.filter(address=address.strip().lower()) if address else active[:2])
    if len(found) != 1:
        raise NoMailbox
    return found[0]
