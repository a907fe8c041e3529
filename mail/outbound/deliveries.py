"""What became of the mails that are owed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from allauth.core import context as allauth_context
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import DeskSettings
from accounts.sign_in.site_links import site_url
from jobs.models import Job
from mail import payloads
from mail.events import TicketMailUpdated
from mail.models import MailPreference, OutgoingMail, preferences
from realtime import Audience, publish
from tickets.locking import lock
from tickets.models import NotificationKind, Ticket
from tickets.notifications.recipients import Notice
from tickets.reading.events import TicketReceiptsUpdated

State = OutgoingMail.State


def owe(notice: Notice) -> None:
    """Owe each of the people a mail about an event, once: in the running transaction, sent by a job."""
    from mail import tasks  # imports this module

    event = notice.kind
    origin = site_url(allauth_context.request)
    for user, mode in preferences.wanted_modes(notice.people, event):
        key = f"{event} {notice.occurrence} {user.pk}"
        mail = OutgoingMail(key=key, event=event, recipient=user, ticket=notice.ticket, reply=notice.reply)
        OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
        tasks.send_ticket_mail.enqueue(key=key, run_at=_due(mode), mail=str(mail.pk), site_url=origin)


def _due(mode: MailPreference.Mode) -> datetime | None:
    """Return when a mail is to be sent; None for now."""
    if mode != MailPreference.Mode.UNSEEN:
        return None
    return timezone.now() + timedelta(minutes=DeskSettings.current().unseen_minutes)


def record_failure(job: Job, reason: str) -> None:
    """Record that a mail could not be sent, or that it is unknown whether it was."""
    mail = OutgoingMail.objects.filter(pk=UUID(job.arguments["mail"])).first()
    if mail is not None and mail.state == State.QUEUED:
        change_state(mail, State.FAILED, reason=reason)


def record_bounce(message_ids: Iterable[str], *, address: str = "", reason: str = "") -> bool:
    """Record that a mail of ours came back: one with any of the Message-IDs, if given to `address`.

    `reason` is the diagnosis of the mail server, in one line. Returns whether there was such a mail.
    """
    ids = [value.strip(" <>") for value in message_ids]
    mails: QuerySet[OutgoingMail] = OutgoingMail.objects.filter(message_id__in=ids)
    if address:
        mails = mails.filter(recipient__email__iexact=address)
    found = list(mails[:2])
    if len(found) != 1:  # of several recipients it is unknown whose mail came back
        return False
    return change_state(found[0], State.BOUNCED, reason=reason[:2000])


@transaction.atomic
def retry(mail: OutgoingMail) -> bool:
    """Send a failed mail again; return whether it had failed."""
    from mail import tasks

    job = Job.objects.filter(task=tasks.send_ticket_mail.name, key=mail.key, state=Job.State.FAILED).first()
    return job is not None and mail.state == State.FAILED and change_state(mail, State.QUEUED) and job.retry()


def withhold_receipt(ticket: Ticket) -> None:
    """Send no receipt for a ticket that an automatic mail opened (RFC 3834). Call it in the same transaction."""
    OutgoingMail.objects.filter(ticket=ticket, event=NotificationKind.RECEIPT, state=State.QUEUED).update(
        state=State.CANCELLED
    )


@transaction.atomic
def change_state(mail: OutgoingMail, state: OutgoingMail.State, *, reason: str = "") -> bool:
    """Record what became of a mail, unless another process did meanwhile; show failures on the pages of staff."""
    is_shown = mail.state in payloads.UNDELIVERED or state in payloads.UNDELIVERED
    ticket = lock(mail.ticket) if is_shown else None
    if not mail.change_state(state, reason=reason):
        return False
    if ticket is not None:
        ticket.advance_sequence(Audience.STAFF)
        ticket.save(update_fields=["staff_seq"])
        publish(TicketMailUpdated(ticket, mail.reply))
    elif state == State.SENT and mail.reply_id is not None:
        publish(TicketReceiptsUpdated(mail.ticket, Audience.STAFF))
    return True
