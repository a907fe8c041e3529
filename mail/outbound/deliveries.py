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
from mail.outbound import digests
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
        if mode == MailPreference.Mode.DIGEST:
            _owe_in_digest(mail, origin)
            continue
        OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
        tasks.send_ticket_mail.enqueue(key=key, run_at=_due(mode), mail=str(mail.pk), site_url=origin)


def _owe_in_digest(mail: OutgoingMail, origin: str) -> None:
    """Owe a mail as a part of its recipient's next summary."""
    from mail import tasks

    user = mail.recipient
    day, run_at = digests.due(user, timezone.now())
    # After a change of the hour or the time zone, the day may have had its summary.
    ended = Job.objects.filter(task=tasks.send_digest.name, run_at=None)
    while ended.filter(key=digests.job_key(user.pk, day)).exists():
        day, run_at = day + timedelta(days=1), run_at + timedelta(days=1)
    mail.digest_day = day
    OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
    arguments = {"user_id": str(user.pk), "day": str(day), "site_url": origin}
    tasks.send_digest.enqueue(key=digests.job_key(user.pk, day), run_at=run_at, **arguments)


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


def record_digest_failure(job: Job, reason: str) -> None:
    """Record that a summary could not be sent, or that it is unknown whether it was."""
    arguments = job.arguments
    owed = OutgoingMail.objects.filter(recipient=arguments["user_id"], digest_day__lte=arguments["day"])
    for mail in owed.filter(state=State.QUEUED).order_by("ticket"):  # whose rows it locks
        change_state(mail, State.FAILED, reason=reason)


@transaction.atomic
def record_digest(mails: Iterable[OutgoingMail]) -> None:
    """Record that a summary was sent: all of it, or nothing."""
    for mail in mails:
        change_state(mail, State.SENT)


def record_bounce(message_ids: Iterable[str], *, address: str = "", reason: str = "") -> bool:
    """Record that a mail of ours came back: one with any of the Message-IDs, if given to `address`.

    `reason` is the diagnosis of the mail server, in one line. Returns whether there was such a mail.
    """
    ids = [value.strip(" <>") for value in message_ids]
    mails: QuerySet[OutgoingMail] = OutgoingMail.objects.filter(message_id__in=ids)
    if address:
        mails = mails.filter(recipient__email__iexact=address)
    found = list(mails.order_by("ticket"))
    if len({mail.recipient_id for mail in found}) != 1:  # of several it is unknown whose mail came back
        return False
    changed = [change_state(mail, State.BOUNCED, reason=reason[:2000]) for mail in found]
    return all(changed)


@transaction.atomic
def retry(mail: OutgoingMail) -> bool:
    """Send a failed mail again, a summary as a whole; return whether it had failed."""
    from mail import tasks

    if mail.digest_day is not None:
        return _retry_digest(mail)
    job = Job.objects.filter(task=tasks.send_ticket_mail.name, key=mail.key, state=Job.State.FAILED).first()
    return job is not None and mail.state == State.FAILED and change_state(mail, State.QUEUED) and job.retry()


def _retry_digest(mail: OutgoingMail) -> bool:
    from mail import tasks

    key = digests.job_key(mail.recipient_id, mail.digest_day)  # type: ignore[arg-type]  # it has a day
    job = Job.objects.filter(task=tasks.send_digest.name, key=key, state=Job.State.FAILED).first()
    if job is None or mail.state != State.FAILED or not job.retry():
        return False
    same = OutgoingMail.objects.filter(recipient=mail.recipient, digest_day=mail.digest_day, state=State.FAILED)
    changed = [change_state(each, State.QUEUED) for each in same.order_by("ticket")]
    return all(changed)


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
