"""Save, end and prune drafts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from tickets.drafts.events import announce
from tickets.models import Draft, Ticket

RETENTION = timedelta(days=30)  # since the last change
# Of a draft that was sent: longer than a page waits before it saves again.
EMPTY_RETENTION = timedelta(days=1)
# Values of a new ticket's form that the person has written; it always has the others.
WRITTEN = ("customer", "subject")


class OutdatedDraft(Exception):
    """Another page has changed the draft since the version that a page has changed."""

    def __init__(self, stored: Draft) -> None:
        super().__init__("outdated draft")
        self.stored = stored


@dataclass(frozen=True)
class Content:
    """What a draft holds."""

    text: str = ""
    is_internal: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the person has written and attached nothing."""
        return not (self.text or self.files or any(self.values.get(name) for name in WRITTEN))

    def columns(self) -> dict[str, object]:
        """Return the fields of a `Draft`."""
        return {
            "text": self.text,
            "is_internal": self.is_internal,
            "values": dict(self.values),
            "files": list(self.files),
            "is_empty": self.is_empty,
            "updated_at": timezone.now(),
        }

    def is_in(self, draft: Draft) -> bool:
        """Return whether a stored draft holds the same."""
        if self.is_empty or draft.is_empty:
            return self.is_empty and draft.is_empty
        stored = (draft.text, draft.is_internal, draft.values, draft.files)
        return stored == (self.text, self.is_internal, dict(self.values), list(self.files))


@transaction.atomic
def save_draft(content: Content, *, by: User, ticket: Ticket | None, base: int) -> Draft:
    """Save the draft of `by` for a ticket that they may read, or for a new one; `base` is the version they changed.

    Raises OutdatedDraft if another page has saved something else since.
    """
    columns = content.columns() | {"version": base + 1}
    draft, is_new = Draft.objects.get_or_create(user=by, ticket=ticket, defaults=columns)
    if not is_new:
        if content.is_in(draft):
            return draft
        if not Draft.objects.filter(pk=draft.pk, version=base).update(**columns):
            raise OutdatedDraft(draft)
    was_empty = is_new or draft.is_empty
    draft.user, draft.ticket = by, ticket
    draft.version, draft.is_empty = base + 1, content.is_empty
    announce(draft, was_empty=was_empty)
    return draft


def end_draft(*, by: User, ticket: Ticket | None, version: int | None, sent: str) -> None:
    """Empty the draft of a message that is being sent, in its transaction.

    `version` is the latest that the sender's page knows; None is a message that was not written on a page. Another
    version stays, unless it is an earlier state of what is sent: another device's text is not lost. The draft gets a
    new version also if it was empty: a save that the page sent as it was left, and that comes late, is refused.
    """
    if version is None:
        return
    empty = Content().columns()
    defaults = empty | {"version": version + 1}
    draft, is_new = Draft.objects.get_or_create(user=by, ticket=ticket, defaults=defaults)
    if is_new or (draft.version != version and not sent.startswith(draft.text.strip())):
        return
    was_empty = draft.is_empty
    is_ended = Draft.objects.filter(pk=draft.pk, version=draft.version).update(**empty, version=draft.version + 1)
    if is_ended and not was_empty:
        draft.version, draft.is_empty, draft.user, draft.ticket = draft.version + 1, True, by, ticket
        announce(draft, was_empty=False)


def prune() -> int:
    """Delete drafts that were not changed for 30 days, and empty ones after a day. Return their number."""
    now = timezone.now()
    old = Q(updated_at__lt=now - RETENTION) | Q(is_empty=True, updated_at__lt=now - EMPTY_RETENTION)
    return Draft.objects.filter(old).delete()[0]
