"""The desk of the mail run, in processes of its own: `python -m tests.faults.mail_run.site prepare PORT|truth`.

Each prints JSON: the addresses to which people reply; what the database has in the end.
"""

import json
import sys

import django

WRITERS = ("bao", "casey", "greta")  # an agent and two customers
MAILBOX = "billing@desk.example.com"


def prepare(imap_port):
    """Create the cast, a ticket of each customer, and the mailbox; return each person's address of each ticket."""
    from accounts.models import DeskSettings
    from mail.addresses import reply_address
    from mail.models import Mailbox, preferences
    from tests.mail.inbound import dovecot
    from tests.mail.inbound.writing import AUTHSERV
    from tests.support import cast
    from tickets import services
    from tickets.models import NotificationKind

    desk = cast.create_cast()
    mine = services.open_ticket(by=desk.greta, subject="No invoice", content="Look.", office=desk.billing)
    DeskSettings(unseen_minutes=0).save()
    preferences.set_modes(desk.greta, {NotificationKind.REPLY: "digest"})
    preferences.set_modes(
        desk.bao, {NotificationKind.CUSTOMER_REPLY: "digest", NotificationKind.NEW_TICKET: "digest"}
    )
    mailbox = Mailbox(address=MAILBOX, office=desk.billing, authserv_id=AUTHSERV, imap_security="none")
    mailbox.imap_host, mailbox.imap_port = "127.0.0.1", int(imap_port)
    mailbox.imap_username, mailbox.imap_password = dovecot.USER, dovecot.PASSWORD
    mailbox.save()
    pairs = {"casey": [desk.ticket], "greta": [mine], "bao": [desk.ticket, mine]}
    return {
        name: [reply_address(ticket, getattr(desk, name)) for ticket in tickets] for name, tickets in pairs.items()
    }


def truth():
    """Return the texts of all messages, the mails that are owed for each, and what became of them."""
    from mail.models import OutgoingMail, ReceivedMessage
    from tickets.models import Reply, Ticket

    mails = OutgoingMail.objects.select_related("recipient", "reply", "ticket")
    return {
        "replies": list(Reply.objects.values_list("message", flat=True)),
        "tickets": list(Ticket.objects.values_list("content", flat=True)),
        "received": list(ReceivedMessage.objects.values_list("state", "reason", "detail")),
        "copies": sum(ReceivedMessage.objects.values_list("copies", flat=True)),
        "mails": [
            {
                "event": mail.event,
                "about": mail.ticket.content if mail.reply is None else mail.reply.message,
                "log": [f"<{mail.message_id}>", mail.recipient.email],
                "day": mail.digest_day and str(mail.digest_day),
                "state": mail.state,
                "reason": mail.reason,
            }
            for mail in mails
        ],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"prepare": prepare, "truth": truth}[sys.argv[1]](*sys.argv[2:])))  # noqa: T201
