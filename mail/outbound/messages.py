"""Build the mails about tickets: headers, text and HTML, in the recipient's language."""

import html
import re
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.mails.layout import attach_html
from accounts.mails.senders import Sender
from accounts.models import User
from accounts.text.lines import isolated
from mail.addresses import reply_address
from mail.models import OutgoingMail
from mail.outbound import attachments, recipients, threads
from mail.outbound.unsubscribing import leave_path, unsubscribe_path
from realtime import Audience
from tickets import payloads
from tickets.models import Attachment, NotificationKind, participants_of

# Exchange's: no receipts, vacation replies or automatic answers. Without NDR: bounces are wanted.
SUPPRESSED_RESPONSES: Final = "DR, RN, NRN, OOF, AutoReply"
MAX_EARLIER: Final = 2  # messages that are quoted
MAX_EARLIER_LENGTH: Final = 600  # characters of each
_LINE_END: Final = re.compile(r"<br>|</(?:p|li|pre|tr|h\d)>")
_CELL_END: Final = re.compile(r"</t[dh]>")
_REPLY_PREFIX: Final = re.compile(r"(re|aw|antw|sv|vs)\s*:\s*", re.IGNORECASE)


def build(mail: OutgoingMail, site_url: str) -> EmailMultiAlternatives:
    """Return the mail as it is now. Its parts are an allow-list for the audience of the mail."""
    with translation.override(mail.recipient.language or settings.LANGUAGE_CODE):
        sender = Sender.of(mail.ticket.office)
        unsubscribe_url = _unsubscribe_url(mail, site_url)
        files = attachments.files_of(mail)
        contents = attachments.contents(mail, files)
        context = _context(mail, site_url, sender) | {"unsubscribe_url": unsubscribe_url}
        context["files"] = [_file(file, site_url, is_link=file not in contents) for file in files]
        message = EmailMultiAlternatives(
            subject=_subject(mail),
            body=render_to_string("mail/ticket.txt", context),
            from_email=str(sender),
            to=[mail.recipient.email],
            headers=_headers(mail) | unsubscribe_headers(unsubscribe_url),
        )
        attach_html(message, "mail/ticket.html", context, sender)
    for file, content in contents.items():
        message.attach(file.filename, content, file.content_type)
    address = reply_address(mail.ticket, mail.recipient)
    if address:
        message.reply_to = [address]
    return message


def _subject(mail: OutgoingMail) -> str:
    """Return the ticket's subject with its reference: the same in a thread, but for "Re:"."""
    subject = f"{_REPLY_PREFIX.sub('', mail.ticket.subject, count=1)} [{mail.ticket.reference}]"
    return subject if mail.event == NotificationKind.RECEIPT else f"Re: {subject}"


def _headers(mail: OutgoingMail) -> dict[str, str]:
    """Return the headers of the thread, which name public messages only, and those of automatic mails (RFC 3834)."""
    before = mail.reply if mail.reply is None or not mail.reply.is_internal else None
    references = threads.references(mail.ticket, before)
    own = (
        threads.message_id(mail.ticket, mail.reply)
        if mail.event == NotificationKind.REPLY
        else threads.new_message_id()
    )
    headers = {
        "Message-ID": f"<{own}>",
        "In-Reply-To": f"<{references[-1]}>",
        "References": " ".join(f"<{value}>" for value in references),
        "X-Auto-Response-Suppress": SUPPRESSED_RESPONSES,
    }
    if mail.event != NotificationKind.REPLY:  # which a person wrote
        headers["Auto-Submitted"] = "auto-replied" if mail.event == NotificationKind.RECEIPT else "auto-generated"
    return headers


def _unsubscribe_url(mail: OutgoingMail, site_url: str) -> str:
    """Return the address that turns such mails off; "" for a receipt, which its recipient caused.

    A participant leaves the ticket by it.
    """
    if not site_url or mail.event == NotificationKind.RECEIPT:
        return ""
    if is_participant(mail):
        return f"{site_url}{leave_path(mail.recipient, mail.ticket)}"
    return f"{site_url}{unsubscribe_path(mail.recipient, NotificationKind(mail.event))}"


def is_participant(mail: OutgoingMail) -> bool:
    """Return whether the mail goes to a participant as such."""
    is_public = recipients.audience_for(mail) is Audience.PUBLIC
    return is_public and mail.recipient_id in {each.user_id for each in participants_of(mail.ticket)}


def unsubscribe_headers(url: str) -> dict[str, str]:
    """Return the headers of one-click unsubscribing (RFC 8058)."""
    if not url:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _context(mail: OutgoingMail, site_url: str, sender: Sender) -> dict[str, Any]:
    ticket, reply = mail.ticket, mail.reply
    path = ticket.get_absolute_url() if reply is None else f"{ticket.get_absolute_url()}#reply-{reply.pk}"
    return {
        "lead": _lead(mail),
        "next_step": _next_step(mail),
        "text": ticket.content if reply is None else reply.message,
        "html": ticket.html if reply is None else reply.html,
        "is_note": mail.event in (NotificationKind.NOTE, NotificationKind.MENTION),
        "earlier": _earlier(mail),
        "subject": ticket.subject,
        "reference": ticket.reference,
        "url": f"{site_url}{path}" if site_url else "",
        "is_participant": is_participant(mail),
        "can_answer": bool(settings.MAIL_REPLY_ADDRESS),
        "sender": sender,
    }


def _file(file: Attachment, site_url: str, *, is_link: bool) -> dict[str, Any]:
    """Return what the mail says of a file; one that goes with it has no link."""
    payload = payloads.attachment_payload(file)
    return payload | {"url": f"{site_url}{payload['url']}" if site_url and is_link else ""}


def _earlier(mail: OutgoingMail) -> list[dict[str, str]]:
    """Return the beginning of the last public messages before a reply, the latest first."""
    if mail.reply is None or mail.reply.is_internal:
        return []
    ticket = mail.ticket
    before = ticket.replies.filter(is_internal=False, number__lt=mail.reply.number).select_related("author")
    found = [(reply.author, plain(reply.html)) for reply in before.order_by("-number")[:MAX_EARLIER]]
    if len(found) < MAX_EARLIER:
        found.append((ticket.creator, plain(ticket.html)))
    return [_quote(mail, author, text) for author, text in found]


def plain(markup: str) -> str:
    """Return the text of a rendered message, without its markup."""
    return html.unescape(strip_tags(_CELL_END.sub(" ", _LINE_END.sub("\n", markup))))


def _quote(mail: OutgoingMail, author: User, text: str) -> dict[str, str]:
    name = payloads.user_payload(author, mail.ticket, recipients.audience_for(mail))["name"] or ""
    short = Truncator(text.strip()).chars(MAX_EARLIER_LENGTH)
    return {"name": name, "text": short, "quoted": "\n".join(f"> {line}" for line in short.splitlines())}


def _lead(mail: OutgoingMail) -> str:
    """Return the first sentence."""
    ticket = mail.ticket
    author = ticket.creator if mail.reply is None else mail.reply.author
    values = {
        "name": isolated(payloads.user_payload(author, ticket, recipients.audience_for(mail))["name"] or ""),
        "reference": ticket.reference,
        "office": isolated(ticket.office.name),
    }
    if mail.event == NotificationKind.RECEIPT and ticket.opened_by is not None:
        return _("We have opened a ticket for you. Its reference is %(reference)s.") % values
    return str(LEADS[NotificationKind(mail.event)]) % values


LEADS: Final = {
    NotificationKind.RECEIPT: _lazy("We have received your message. Its reference is %(reference)s."),
    NotificationKind.REPLY: _lazy("%(name)s replied:"),
    NotificationKind.STATUS: _lazy(
        "Your ticket was closed. If you need anything else, just answer: that opens it again."
    ),
    NotificationKind.JOINED: _lazy("You were added to this ticket of %(name)s:"),
    NotificationKind.ASSIGNED: _lazy("This ticket of %(name)s was assigned to you:"),
    NotificationKind.NEW_TICKET: _lazy("New ticket of %(name)s in %(office)s:"),
    NotificationKind.CUSTOMER_REPLY: _lazy("%(name)s replied:"),
    NotificationKind.NOTE: _lazy("%(name)s wrote an internal note, which only staff can read:"),
    NotificationKind.MENTION: _lazy("%(name)s mentioned you in an internal note, which only staff can read:"),
    NotificationKind.RETURNED: _lazy("This ticket of %(name)s was snoozed until now:"),
}


def _next_step(mail: OutgoingMail) -> str:
    """Return what happens next, if the mail says so."""
    if mail.event == NotificationKind.RECEIPT:
        return _("We'll get back to you by email. You can add to your message at any time.")
    if mail.event == NotificationKind.JOINED:
        return _("You'll receive what is written in this ticket by email, and may reply.")
    return ""
