"""What became of the mails that are owed."""

from collections.abc import Iterable
from uuid import UUID

from allauth.core import context as allauth_context
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.sign_in.site_links import site_url
from jobs.models import Job
from mail.models import OutgoingMail
from tickets.models import Reply, Ticket

State = OutgoingMail.State
UNDELIVERED = (State.FAILED, State.BOUNCED)


def owe(event: OutgoingMail.Event, recipients: Iterable[User], *, ticket: Ticket, reply: Reply | None = None) -> None:
    """Owe each of the recipients a mail about an event, once: in the running transaction, sent by a job."""
    from mail import tasks  # imports this module

    for recipient in recipients:
        key = effect_key(event, recipient, ticket, reply)
        mail = OutgoingMail(key=key, event=event, recipient=recipient, ticket=ticket, reply=reply)
        OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
        tasks.send_ticket_mail.enqueue(key=key, mail=str(mail.pk), site_url=site_url(allauth_context.request))


def effect_key(event: str, recipient: User, ticket: Ticket, reply: Reply | None) -> str:
    """Return what names the effect. A note that is published again has another number, and so another mail."""
    about = str(ticket.uuid) if reply is None else f"{reply.pk} {reply.number}"
    return f"{event} {about} {recipient.pk}"


def record_failure(job: Job, reason: str) -> None:
    """Record that a mail could not be sent, or that it is unknown whether it was."""
    mail = OutgoingMail.objects.filter(pk=UUID(job.arguments["mail"])).first()
    if mail is not None:
        mail.end(State.FAILED, reason=reason, only_from=(State.QUEUED,))


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
    return found[0].end(State.BOUNCED, reason=reason[:2000], only_from=(State.QUEUED, State.SENT, State.FAILED))


def retry(mail: OutgoingMail) -> bool:
    """Send a failed mail again; return whether it had failed."""
    from mail import tasks

    job = Job.objects.filter(task=tasks.send_ticket_mail.name, key=mail.key, state=Job.State.FAILED).first()
    if job is None or not mail.end(State.QUEUED, only_from=(State.FAILED,)):
        return False
    OutgoingMail.objects.filter(pk=mail.pk).update(ended_at=None, created_at=timezone.now())
    return job.retry()


def withhold_receipt(ticket: Ticket) -> None:
    """Send no receipt for a ticket that an automatic mail opened (RFC 3834). Call it in the same transaction."""
    OutgoingMail.objects.filter(ticket=ticket, event=OutgoingMail.Event.RECEIPT, state=State.QUEUED).update(
        state=State.CANCELLED
    )
