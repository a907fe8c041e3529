"""What staff of a ticket see of mails that were not delivered."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from jobs.runner import INTERRUPTED
from mail.models import OutgoingMail
from tickets.models import Reply, Ticket

UNDELIVERED = (OutgoingMail.State.FAILED, OutgoingMail.State.BOUNCED)


def undelivered(ticket: Ticket, *, reply: Reply | None = None) -> list[dict[str, Any]]:
    """Return the mails about a reply, or without one about the opening, that did not arrive."""
    return undelivered_by_reply(ticket).get(None if reply is None else reply.pk, [])


def undelivered_by_reply(ticket: Ticket) -> dict[UUID | None, list[dict[str, Any]]]:
    """Return the mails about each reply that did not arrive; those about the opening with the key None."""
    mails = OutgoingMail.objects.filter(ticket=ticket, state__in=UNDELIVERED).select_related("recipient")
    found: dict[UUID | None, list[dict[str, Any]]] = defaultdict(list)
    for mail in mails.order_by("created_at"):
        found[mail.reply_id].append(_mail_payload(mail))
    return dict(found)


def _mail_payload(mail: OutgoingMail) -> dict[str, Any]:
    is_uncertain = mail.reason.startswith(INTERRUPTED)
    return {
        "id": str(mail.pk),
        "recipient": str(mail.recipient),
        "is_uncertain": is_uncertain,
        "reason": "" if is_uncertain else mail.reason,
    }
