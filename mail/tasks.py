"""The task that sends mails about tickets. Each is rendered when it is sent, for what its recipient may read then."""

from typing import Any, Final

from jobs import mail as smtp
from jobs import task
from jobs.models import Job
from mail.inbound import tasks  # noqa: F401  (registers its task)
from mail.models import OutgoingMail
from mail.outbound import deliveries, messages, recipients
from tickets.models import Ticket

RELATED: Final = ("recipient", "reply__author", *(f"ticket__{name}" for name in Ticket.RELATED))
State = OutgoingMail.State


@task(atomic=False, on_failure=deliveries.record_failure)
def send_ticket_mail(job: Job, **arguments: Any) -> None:
    """Send a mail that is owed, unless its recipient may not read (any more) what it is about."""
    owed = OutgoingMail.objects.select_related(*RELATED).filter(pk=arguments["mail"])
    mail = owed.filter(state__in=[State.QUEUED, State.FAILED]).first()
    if mail is None:  # deleted together with its ticket or reply
        return
    if not recipients.may_receive(mail) or _is_superseded(mail):
        deliveries.change_state(mail, State.CANCELLED)
        return
    message = messages.build(mail, arguments["site_url"])
    mail.message_id = message.extra_headers["Message-ID"].strip("<>")
    mail.save(update_fields=["message_id"])
    smtp.deliver(job, message)
    deliveries.change_state(mail, State.SENT)


def _is_superseded(mail: OutgoingMail) -> bool:
    """Return whether the reply was hidden and published since, or was sent to its recipient before that."""
    if mail.key != deliveries.effect_key(mail.event, mail.recipient, mail.ticket, mail.reply):
        return True
    same = OutgoingMail.objects.filter(event=mail.event, recipient=mail.recipient, reply=mail.reply, state=State.SENT)
    return mail.reply is not None and same.exists()
