"""What is stored of drafts: each function takes the author, who is the only reader."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from realtime.utils.compiled_query import CompiledQuery
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
    return {uuid for (uuid,) in _drafted.rows(*user.kind, user_id=user.pk)}


@CompiledQuery
def _drafted(*kind: Any, user_id: UUID) -> QuerySet[Ticket, tuple[UUID]]:
    user = User.of_kind(*kind, pk=user_id)
    written = Draft.objects.filter(user=user, is_empty=False).exclude(ticket=None).values("ticket")
    return policies.visible_tickets(user).filter(pk__in=written).values_list("uuid")[:MAX_MARKED]
