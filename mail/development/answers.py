"""Messages that come in as if a mail server had received and verified them."""

from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from django.utils import timezone

from accounts.models import Office
from mail.development.outbox import SentMail
from mail.inbound import storage
from mail.models import Mailbox, ReceivedMessage

ADDRESS = AUTHSERV_ID = "desk@localhost"


def development_mailbox() -> Mailbox:
    """Return the mailbox of the first office that customers may contact. Raises Office.DoesNotExist."""
    found = Mailbox.objects.filter(address=ADDRESS).first()
    if found is None:
        office = Office.objects.filter(is_internal=False).earliest("pk")
        found = Mailbox.objects.create(address=ADDRESS, office=office, authserv_id=AUTHSERV_ID)
    return found


def answer(mail: SentMail, text: str) -> ReceivedMessage:
    """Receive an answer to a mail from the person who got it."""
    message = EmailMessage()
    message["From"] = mail.message["To"]
    message["To"] = mail.message["Reply-To"] or mail.message["From"]
    message["Subject"] = mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"
    if mail.message["Message-ID"]:
        message["In-Reply-To"] = mail.message["Message-ID"]
        earlier = str(mail.message["References"] or "")
        message["References"] = f"{earlier} {mail.message['Message-ID']}".strip()
    quote = "\n".join(f"> {line}".rstrip() for line in mail.text.splitlines())
    message.set_content(f"{text}\n\nOn {mail.date}, {mail.sender} wrote:\n{quote}\n")
    return _receive(message)


def write(sender: str, subject: str, text: str) -> ReceivedMessage:
    """Receive a new message from `sender`."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ADDRESS, subject
    message.set_content(text)
    return _receive(message)


def _receive(message: EmailMessage) -> ReceivedMessage:
    mailbox = development_mailbox()
    message["Date"] = format_datetime(timezone.now())
    message["Message-ID"] = make_msgid(domain="localhost")
    domain = parseaddr(str(message["From"]))[1].rpartition("@")[2]
    results = f"Authentication-Results: {mailbox.authserv_id}; dmarc=pass header.from={domain}\r\n"
    return storage.store(results.encode() + message.as_bytes(), mailbox)
