"""What is stored of drafts: each function takes the author, who is the only reader."""

from uuid import UUID

from accounts.models import User
from tickets import policies
from tickets.models import Attachment, Draft, Ticket

MAX_MARKED = 200  # tickets that a list marks as drafted


def draft_of(user: User, ticket: Ticket | None) -> Draft:
    """Return the draft of `user` for a ticket, or for a new one; an empty one that is not stored if there is none."""
    found = Draft.objects.filter(user=user, ticket=ticket).first()
    return found or Draft(user=user, ticket=ticket, is_empty=True, version=0)


def attached_files(draft: Draft) -> list[Attachment]:
    """Return the files of a draft, without those that were sent or removed since."""
    if not draft.files:
        return []
    unsent = Attachment.objects.filter(pk__in=draft.files, uploader=draft.user_id, ticket=None)
    return sorted(unsent, key=lambda file: draft.files.index(str(file.pk)))


def drafted_tickets(user: User) -> set[UUID]:
    """Return the tickets that `user` may open and has drafts for."""
    written = Draft.objects.filter(user=user, is_empty=False).exclude(ticket=None).values("ticket")
    tickets = policies.visible_tickets(user).filter(pk__in=written)
    return set(tickets.values_list("uuid", flat=True)[:MAX_MARKED])
