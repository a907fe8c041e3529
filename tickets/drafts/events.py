"""The broadcast event of a draft."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from realtime import Audience, Event, ForChannel, broadcast_now, publish
from tickets.models import Draft


@dataclass(frozen=True)
class DraftSaved(Event):
    """A person has begun a draft, or sent or deleted it. Only they receive it; their pages fetch the text."""

    broadcast_as = "draft.saved"
    draft: Draft

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the author's own channel."""
        return [ForChannel(self.draft.user.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Use one version: there is one recipient."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay only while the author may read the ticket."""
        return "" if self.draft.ticket is None else self.draft.ticket.channel

    def broadcast_ordering_key(self) -> str:
        """Order the versions of one draft: its row is their lock."""
        return f"draft {self.draft.pk}"

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the ticket and the version, without the text: the event log must not keep what was never sent."""
        return _body(self.draft)


def announce(draft: Draft, *, was_empty: bool) -> None:
    """Notify the author's pages of a new version, at the end of the transaction.

    The event log has only the beginning and the end of a draft, which lists show: it would grow with each pause in
    writing. The versions between are sent without history.
    """
    if was_empty or draft.is_empty:
        publish(DraftSaved(draft))
    else:
        broadcast_now([draft.user.channel], DraftSaved.broadcast_as, json.dumps(_body(draft)))


def _body(draft: Draft) -> dict[str, Any]:
    ticket = None if draft.ticket is None else str(draft.ticket.uuid)
    return {"draft": {"ticket": ticket, "version": draft.version, "is_empty": draft.is_empty}}
