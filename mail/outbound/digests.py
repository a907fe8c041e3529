"""The daily summary: one mail a day to each person who wants it, of what they may still read and have not seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.mails.layout import attach_html
from accounts.mails.senders import Sender
from accounts.models import DeskSettings, User
from accounts.text.lines import isolated
from mail.models import OutgoingMail
from mail.outbound import messages, recipients, threads
from mail.outbound.unsubscribing import digest_off_path, leave_path
from tickets import payloads
from tickets.models import NotificationKind, Ticket

Kind = NotificationKind
# The changes of before the hour are committed by then, also those of a long transaction.
MARGIN: Final = timedelta(minutes=1)
MAX_EVENTS: Final = 100  # that a summary lists
MAX_EXCERPT: Final = 240  # characters of a message
LINES: Final = {
    Kind.REPLY: _("%(name)s replied"),
    Kind.STATUS: _("The ticket was closed"),
    Kind.JOINED: _("You were added to this ticket"),
    Kind.ASSIGNED: _("The ticket was assigned to you"),
    Kind.NEW_TICKET: _("New ticket of %(name)s in %(office)s"),
    Kind.CUSTOMER_REPLY: _("%(name)s replied"),
    Kind.NOTE: _("%(name)s wrote an internal note"),
    Kind.MENTION: _("%(name)s mentioned you in an internal note"),
    Kind.RETURNED: _("The ticket is back from its snooze"),
}
WITH_OPENING: Final = (Kind.NEW_TICKET, Kind.JOINED)


@dataclass
class TicketSummary:
    """What a summary says of one ticket."""

    ticket: Ticket
    url: str
    leave_url: str
    events: list[dict[str, Any]] = field(default_factory=list)


def due(user: User, now: datetime) -> tuple[date, datetime]:
    """Return the day of the summary that has what happens now, in the user's time zone, and when it is sent."""
    zone = user.zone or timezone.get_default_timezone()
    day = now.astimezone(zone).date()
    hour = time(DeskSettings.current().digest_hour)
    if datetime.combine(day, hour, zone) <= now:
        day += timedelta(days=1)
    return day, datetime.combine(day, hour, zone) + MARGIN


def job_key(user_id: UUID, day: date) -> str:
    """Return the key of the job that sends a summary: one for a person and a day."""
    return f"digest {day} {user_id}"


def build(user: User, mails: list[OutgoingMail], site_url: str) -> EmailMultiAlternatives:
    """Return the summary of what is owed. Its parts are an allow-list for the audience of each event."""
    zone = user.zone or timezone.get_default_timezone()
    with translation.override(user.language or settings.LANGUAGE_CODE), timezone.override(zone):
        sender = Sender.of(None)
        url = f"{site_url}{digest_off_path(user)}" if site_url else ""
        context = {
            "tickets": _by_ticket(mails[:MAX_EVENTS], site_url),
            "left_out": max(0, len(mails) - MAX_EVENTS),
            "home_url": f"{site_url}/" if site_url else "",
            "unsubscribe_url": url,
            "sender": sender,
        }
        message = EmailMultiAlternatives(
            subject=_subject(len(mails), sender),
            body=render_to_string("mail/digest.txt", context),
            from_email=str(sender),
            to=[user.email],
            headers=_headers(url),
        )
        attach_html(message, "mail/digest.html", context, sender)
    return message


def _subject(number: int, sender: Sender) -> str:
    text = ngettext("%(site)s: %(number)d update", "%(site)s: %(number)d updates", number)
    return text % {"site": sender.site_name, "number": number}


def _headers(unsubscribe_url: str) -> dict[str, str]:
    return {
        "Message-ID": f"<{threads.new_message_id()}>",
        "X-Auto-Response-Suppress": messages.SUPPRESSED_RESPONSES,
        "Auto-Submitted": "auto-generated",
    } | messages.unsubscribe_headers(unsubscribe_url)


def _by_ticket(mails: Iterable[OutgoingMail], site_url: str) -> list[TicketSummary]:
    """Return the events by ticket, in the order of the first event of each."""
    found: dict[int, TicketSummary] = {}
    for mail in mails:
        ticket = mail.ticket
        url = f"{site_url}{ticket.get_absolute_url()}" if site_url else ""
        if ticket.pk not in found:
            leaves = site_url and messages.is_participant(mail)
            leave_url = f"{site_url}{leave_path(mail.recipient, ticket)}" if leaves else ""
            found[ticket.pk] = TicketSummary(ticket, url, leave_url)
        found[ticket.pk].events.append(_event(mail))
    return list(found.values())


def _event(mail: OutgoingMail) -> dict[str, Any]:
    ticket, reply = mail.ticket, mail.reply
    author = ticket.creator if reply is None else reply.author
    name = payloads.user_payload(author, ticket, recipients.audience_for(mail))["name"] or ""
    markup = reply.html if reply is not None else ticket.html if mail.event in WITH_OPENING else ""
    text = messages.plain(markup)
    return {
        "at": mail.created_at,
        "line": str(LINES[Kind(mail.event)]) % {"name": isolated(name), "office": isolated(ticket.office.name)},
        "excerpt": Truncator(" ".join(text.split())).chars(MAX_EXCERPT),
        "is_note": mail.event in (Kind.NOTE, Kind.MENTION),
    }
