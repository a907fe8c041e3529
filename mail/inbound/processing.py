"""Makes a ticket or a reply of a stored message, or records why not. One message has one effect."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from limits import parse as parse_rate

from accounts import customers
from accounts.models import User
from jobs.models import Job
from mail.inbound import copies, files, forwards, identity, reasons, texts, threads
from mail.inbound.parsing import Address, Bounce, Kind, ParsedMail, guard
from mail.models import Mailbox, ReceivedMessage
from mail.outbound import deliveries
from mail.outbound.threads import record_message_id
from realtime.utils import rate_limits
from tickets import services
from tickets.actors import Cause, Source, System
from tickets.models import Attachment, Ticket

State = ReceivedMessage.State
OPEN = (State.RECEIVED, State.FAILED)


class Stopped(Exception):
    """The message becomes neither a ticket nor a reply."""

    def __init__(self, state: ReceivedMessage.State, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.state, self.reason, self.detail = state, reason, detail


@dataclass(frozen=True)
class Draft:
    """What a message is going to become."""

    user: User
    customer: User
    ticket: Ticket | None  # None for a new one
    subject: str
    text: str
    attachments: list[Attachment]
    comment: str  # a note of staff who forwarded the message


def process(message: ReceivedMessage, parse: Callable[[bytes], ParsedMail] = guard.parse) -> None:
    """Process a message that waits. Errors of the database are raised: the job tries again."""
    if message.state not in OPEN or message.raw is None:
        return
    parsed = parse(bytes(message.raw))
    _describe(message, parsed)
    try:
        _check(message, parsed)
        _deliver(message, parsed)
    except Stopped as stop:
        _end(message, stop.state, stop.reason, stop.detail)
    except PermissionDenied as error:
        _end(message, State.FAILED, reasons.REFUSED, str(error))
    except ValidationError as error:
        _end(message, State.FAILED, reasons.REFUSED, " ".join(error.messages))


def _describe(message: ReceivedMessage, parsed: ParsedMail) -> None:
    """Record what admins see of the message."""
    verified = identity.is_verified(parsed, message.mailbox)
    message.sender = parsed.sender.email if parsed.sender else ""
    message.subject = texts.subject(parsed.subject)
    message.identity = ReceivedMessage.Identity.VERIFIED if verified else ReceivedMessage.Identity.UNVERIFIED
    message.is_automatic = parsed.kind is not Kind.PERSONAL
    message.is_spam = message.mailbox.spam_filter in parsed.spam_filters
    message.save(update_fields=["sender", "subject", "identity", "is_automatic", "is_spam"])


def _check(message: ReceivedMessage, parsed: ParsedMail) -> None:
    """Raise Stopped for what opens no ticket, unless an admin has approved it."""
    if parsed.sender is None:
        raise Stopped(State.HELD, reasons.NO_SENDER)
    if message.is_approved:
        return
    if identity.is_own_mail(parsed):
        raise Stopped(State.IGNORED, reasons.LOOP)
    if message.mailbox.blocks(parsed.sender.email):
        raise Stopped(State.IGNORED, reasons.BLOCKED_SENDER)
    if parsed.bounce is not None:
        raise Stopped(_recorded(parsed.bounce), reasons.BOUNCE, f"{parsed.bounce.recipient}: {parsed.bounce.reason}")
    if parsed.kind is Kind.AUTOMATIC_REPLY:
        raise Stopped(State.IGNORED, reasons.AUTOMATIC_REPLY)
    if message.is_spam:
        raise Stopped(State.HELD, reasons.SPAM)
    rate = parse_rate(settings.ACTION_RATES["mail"])
    if not rate_limits.allowed(rate, "action", "mail", parsed.sender.email):
        raise Stopped(State.HELD, reasons.TOO_MANY)


def _recorded(bounce: Bounce) -> ReceivedMessage.State:
    """Record the bounce at the mail that came back; return the state of the message that says so."""
    is_ours = bounce.is_permanent and deliveries.record_bounce(
        [bounce.message_id], address=bounce.recipient, reason=bounce.reason
    )
    return State.PROCESSED if is_ours else State.IGNORED


def _deliver(message: ReceivedMessage, parsed: ParsedMail) -> None:
    user = _user(message, parsed)
    ticket = threads.find_ticket(message, parsed, user)
    forwarded = forwards.forwarded_for_others(message, parsed, user) if ticket is None else None
    customer = user if forwarded is None else _known(message, forwarded.sender)
    subject = parsed.subject if forwarded is None else forwarded.subject
    text = parsed.new_text if ticket is not None else parsed.text if forwarded is None else forwarded.text
    attachments, left_out = files.store(parsed.files, by=user)
    body = texts.message(text, parsed, left_out)
    comment = "" if forwarded is None else forwarded.comment
    draft = Draft(user, customer, ticket, texts.subject(subject), body, attachments, comment)
    with transaction.atomic():
        # First: it locks the row, so that a second run waits, and then finds it processed.
        current = ReceivedMessage.objects.select_for_update().only("pk", "state").get(pk=message.pk)
        if current.state not in OPEN:
            return
        _write(message, draft)
        if parsed.message_id and message.ticket is not None:
            record_message_id(parsed.message_id, ticket=message.ticket, reply=message.reply)
        copies.add_copied(message, parsed, user)
        _end(message, State.PROCESSED)


def _user(message: ReceivedMessage, parsed: ParsedMail) -> User:
    """Return whose message this is. Raises Stopped."""
    sender = parsed.sender
    assert sender is not None  # noqa: S101  (_check has seen to it)
    return _known(message, sender)


def _known(message: ReceivedMessage, address: Address) -> User:
    """Return the user with an address, or a new customer, if the mailbox or an admin accepts them. Raises Stopped."""
    user = customers.find_by_address(address.email)
    if user is None:
        holds = message.mailbox.unknown_senders == Mailbox.UnknownSenders.HOLD
        if holds and not message.is_approved:
            raise Stopped(State.HELD, reasons.UNKNOWN_SENDER)
        return customers.customer_for_address(address.email, address.name)
    if not user.is_active:
        raise Stopped(State.IGNORED, reasons.INACTIVE_SENDER)
    return user


def _write(message: ReceivedMessage, draft: Draft) -> None:
    if draft.ticket is None:
        message.ticket = _open_ticket(message, draft)
        return
    message.ticket = draft.ticket
    message.reply = services.add_reply(
        draft.ticket,
        by=draft.user,
        message=draft.text,
        attachments=draft.attachments,
        source=Source.MAIL,
    )


def _open_ticket(message: ReceivedMessage, draft: Draft) -> Ticket:
    """Open a ticket: by the sender, or by the system where it is not proven that they wrote."""
    is_verified = message.identity == ReceivedMessage.Identity.VERIFIED
    ticket = services.open_ticket(
        by=draft.user if is_verified else System(Cause.MAIL),
        customer=draft.customer,
        subject=draft.subject,
        content=draft.text,
        office=message.mailbox.office,
        attachments=draft.attachments,
        source=Source.MAIL,
    )
    if draft.comment:
        services.add_reply(ticket, by=draft.user, message=draft.comment, internal=True, source=Source.MAIL)
    if message.is_automatic or message.is_spam or not is_verified:
        deliveries.withhold_receipt(ticket)  # the address may be forged
    return ticket


def record_failure(job: Job, reason: str) -> None:
    """Record that a message could not be processed, after all attempts."""
    message = ReceivedMessage.objects.filter(pk=job.arguments["message_id"], state=State.RECEIVED).first()
    if message is not None:
        _end(message, State.FAILED, reasons.ERROR, reason)


def _end(message: ReceivedMessage, state: ReceivedMessage.State, reason: str = "", detail: str = "") -> None:
    """Record what became of a message, unless another worker has: one that stood still may come to another end."""
    values = {
        "state": state, "reason": reason, "detail": detail[:500], "processed_at": timezone.now(),
        "ticket": message.ticket, "reply": message.reply,
    }  # fmt: skip
    if ReceivedMessage.objects.filter(pk=message.pk, state__in=OPEN).update(**values):
        for name, value in values.items():
            setattr(message, name, value)
