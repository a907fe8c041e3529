"""The task that sends mails about tickets. Each is rendered when it is sent, for what its recipient may read then."""

from typing import Any, Final

from jobs import mail as smtp
from jobs import task
from jobs.models import Job
from mail.inbound import tasks  # noqa: F401  (registers its task)
from mail.models import MailPreference, OutgoingMail, preferences
from mail.outbound import deliveries, messages, recipients
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
    if not recipients.may_receive(mail) or not _is_wanted(mail) or _is_superseded(mail):
        deliveries.change_state(mail, State.CANCELLED)
        return
    message = messages.build(mail, arguments["site_url"])
    mail.message_id = message.extra_headers["Message-ID"].strip("<>")
    mail.save(update_fields=["message_id"])
    smtp.deliver(job, message)
    deliveries.change_state(mail, State.SENT)


def _is_wanted(mail: OutgoingMail) -> bool:
    """Return whether the recipient wants such a mail, and has not seen on the page what it is about."""
    for _user, mode in preferences.wanted_modes([mail.recipient], NotificationKind(mail.event)):
        return mode != MailPreference.Mode.UNSEEN or not recipients.has_seen(mail)
    return False


def _is_superseded(mail: OutgoingMail) -> bool:
    """Return whether a later mail says it, or the same reply was hidden and published since or sent before."""
    same = OutgoingMail.objects.filter(event=mail.event, recipient=mail.recipient, ticket=mail.ticket)
    if mail.reply is not None:
        is_older = occurrence(mail.ticket, mail.reply) not in mail.key
        return is_older or same.filter(reply=mail.reply, state=State.SENT).exists()
    return mail.event in OutgoingMail.LATEST_ONLY and same.filter(created_at__gt=mail.created_at).exists()
