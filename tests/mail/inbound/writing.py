"""Write messages, and receive them as a mail server hands them over."""

from mail.inbound import processing, storage
from mail.inbound.parsing import parse
from mail.models import ReceivedMessage

MAILBOX, AUTHSERV = "billing@desk.example.com", "mx.example.com"


def write(
    text="The printer is on fire.",
    *,
    sender="Casey Rivers <casey@example.com>",
    message_id="<1@example.com>",
    verified=True,
    **headers,
):
    """Return a message; header names are keywords with _ for -."""
    address = sender.rpartition("<")[2].strip(">")
    lines = [f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from={address.rpartition('@')[2]}"] * verified
    lines += [f"From: {sender}", f"To: {headers.pop('to', MAILBOX)}", f"Subject: {headers.pop('subject', 'Printer')}"]
    lines += [f"Message-ID: {message_id}"] * bool(message_id)
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", text, ""]).encode()


def receive(mailbox, raw, parser=parse):
    """Store a message and process it as the job does; return what became of it."""
    message = storage.store(raw, mailbox)
    processing.process(ReceivedMessage.objects.get(pk=message.pk), parser)
    return ReceivedMessage.objects.select_related("ticket", "reply").get(pk=message.pk)
