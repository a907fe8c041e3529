"""The task that sends mails about tickets. Each is rendered when it is sent, for what its recipient may read then."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from jobs import mail as smtp
from jobs import task
from jobs.models import Job
from mail.inbound import tasks  # noqa: F401  (registers its task)
from mail.models import MailPreference, OutgoingMail, preferences
from mail.outbound import deliveries, digests, messages, recipients
from tickets.models import NotificationKind, Ticket
from tickets.notifications.recipients import occurrence

RELATED: Final = ("recipient", "reply__author", *(f"ticket__{name}" for name in Ticket.RELATED))
State = OutgoingMail.State


@task(atomic=False, on_failure=deliveries.record_failure)
def send_ticket_mail(job: Job, **arguments: Any) -> None:
    """Send a mail that is owed, unless its recipient may not read (any more) what it is about."""
    owed = OutgoingMail.objects.select_related(*RELATED).filter(pk=arguments["mail"])
    mail = owed.filter(state__in=[State.QUEUED, State.FAILED]).first()
    if mail is None:  # deleted together with its ticket or reply
        return
    if not _is_owed(mail):
        deliveries.change_state(mail, State.CANCELLED)
        return
    message = messages.build(mail, arguments["site_url"])
    mail.message_id = message.extra_headers["Message-ID"].strip("<>")
    mail.save(update_fields=["message_id"])
    smtp.deliver(job, message)
    deliveries.change_state(mail, State.SENT)


@task(atomic=False, on_failure=deliveries.record_digest_failure)
def send_digest(job: Job, *, user_id: str, day: str, site_url: str) -> None:
    """Send a person's summary of a day: of what was owed by then, and is so still."""
    mails = []
    for mail in _owed_in_digest(UUID(user_id), day):
        if _is_owed(mail):
            mails.append(mail)
        else:
            deliveries.change_state(mail, State.CANCELLED)
    if not mails:
        return
    message = digests.build(mails[0].recipient, mails, site_url)
    message_id = message.extra_headers["Message-ID"].strip("<>")
    OutgoingMail.objects.filter(pk__in=[mail.pk for mail in mails]).update(message_id=message_id)
    smtp.deliver(job, message)
    deliveries.record_digest(mails)


def _owed_in_digest(user_id: UUID, day: str) -> list[OutgoingMail]:
    """Return what the summary of a day may say, also what was committed too late for an earlier one."""
    mails = OutgoingMail.objects.filter(recipient=user_id)
    late = mails.filter(digest_day__lt=day, state=State.QUEUED)
    days = {each for each in late.values_list("digest_day", flat=True) if each is not None}
    # A summary that waits for the mail server, or is on its way, has its mails itself.
    ended = [each for each in days if not _is_pending(user_id, each)]
    late.filter(digest_day__in=ended).update(digest_day=day)
    owed = mails.filter(digest_day=day, state__in=[State.QUEUED, State.FAILED])
    return list(owed.select_related(*RELATED).order_by("created_at"))


def _is_pending(user_id: UUID, day: date) -> bool:
    jobs = Job.objects.filter(task=send_digest.name, key=digests.job_key(user_id, day))
    return jobs.exclude(run_at=None).exists()


def _is_owed(mail: OutgoingMail) -> bool:
    """Return whether the recipient may still read what a mail is about, and wants it."""
    return recipients.may_receive(mail) and _is_wanted(mail) and not _is_superseded(mail)


def _is_wanted(mail: OutgoingMail) -> bool:
    """Return whether the recipient wants such a mail, and has not seen on the page what it is about."""
    for _user, mode in preferences.wanted_modes([mail.recipient], NotificationKind(mail.event)):
        asks = mode != MailPreference.Mode.NOW or mail.digest_day is not None
        return not asks or not recipients.has_seen(mail)
    return False


def _is_superseded(mail: OutgoingMail) -> bool:
    """Return whether a later mail says it, or the same reply was hidden and published since or sent before."""
    same = OutgoingMail.objects.filter(event=mail.event, recipient=mail.recipient, ticket=mail.ticket)
    if mail.reply is not None:
        is_older = occurrence(mail.ticket, mail.reply) not in mail.key
        return is_older or same.filter(reply=mail.reply, state=State.SENT).exists()
    return mail.event in OutgoingMail.LATEST_ONLY and same.filter(created_at__gt=mail.created_at).exists()
