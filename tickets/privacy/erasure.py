"""Erase a person: everything that names or locates them, everywhere; their tickets stay or are deleted with them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import policies as accounts_policies
from accounts.models import User
from accounts.privacy import erasure as account_erasure
from accounts.privacy.identity import Identity
from jobs.models import Job
from realtime.broadcasting.erasure import EventRewrite, erase_user
from tickets import signals
from tickets.markdown.stored import replace_text
from tickets.models import (
    MAX_SUBJECT,
    Attachment,
    CustomerNote,
    DeliveryMark,
    Draft,
    IdempotencyKey,
    Macro,
    OrganizationMember,
    OrganizationRemoval,
    Participant,
    ReadMark,
    Reply,
    ReplyRevision,
    SavedReply,
    SavedView,
    Ticket,
    TimelineEntry,
)
from tickets.people import handover
from tickets.privacy.announcement import announce_erasure
from tickets.privacy.logged_events import LoggedEvents


@dataclass(frozen=True)
class Erasure:
    """What an erasure did, in numbers."""

    deleted_tickets: int
    kept_tickets: int
    handed_over: int


def check_erasure(person: User, *, by: User | None) -> None:
    """Raise PermissionDenied or ValidationError if `by` may not erase `person`; None is an operator."""
    if by is not None and not accounts_policies.can_manage_users(by):
        raise PermissionDenied(_("Only admins can erase people."))
    if by == person:
        raise PermissionDenied(_("Only another admin can erase you."))
    if person.erased_at is not None:
        raise ValidationError(_("This person is already erased."))
    if person.is_admin and person.is_active and not accounts_policies.other_admins(person).exists():
        raise ValidationError(_("At least one active admin is required."))


def erase_person(
    person: User, *, by: User | None = None, delete_tickets: bool = False, to: User | None = None
) -> Erasure:
    """Erase `person`, and hand on their open tickets to `to` or no one. Open pages then show the new name.

    Without `by` an operator does it. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        erasure = _erase(person, by, delete_tickets, to)
    announce_erasure(person)
    return erasure


def _erase(person: User, by: User | None, delete_tickets: bool, to: User | None) -> Erasure:
    # Lock the admins: of two who erase each other one waits here, and then is no admin any more.
    list(User.objects.select_for_update().filter(Q(role=User.Role.ADMIN) | Q(pk=person.pk)).order_by("pk"))
    person.refresh_from_db()
    if by is not None:
        by.refresh_from_db()
    check_erasure(person, by=by)
    identity = Identity.of(person)
    for upload in Attachment.objects.filter(uploader=person, ticket=None):
        upload.delete()
    deleted = _delete_tickets(person, by) if delete_tickets else 0
    kept = _erase_texts(person, identity)
    logged = LoggedEvents(identity, person)
    events = EventRewrite(logged.names, logged.rewritten)
    erase_user(identity.user_id, texts=identity.texts, addresses=identity.network_addresses, events=events)
    IdempotencyKey.objects.filter(user=person).delete()
    Draft.objects.filter(user=person).delete()
    ReadMark.objects.filter(user=person).delete()
    DeliveryMark.objects.filter(user=person).delete()
    Participant.objects.filter(user=person).delete()
    CustomerNote.objects.filter(customer=person).delete()
    OrganizationMember.objects.filter(user=person).delete()
    OrganizationRemoval.objects.filter(user=person).delete()
    for model in (SavedReply, Macro, SavedView):
        model._default_manager.filter(owner=person).delete()
    _delete_jobs(identity)
    signals.person_erased.send(User, person=person)
    account_erasure.make_neutral(person, identity)
    handed_over = handover.hand_over(person, by=by, to=to)
    account_erasure.erase_account(person, identity)
    return Erasure(deleted, kept, handed_over)


def _delete_tickets(person: User, by: User | None) -> int:
    """Delete the tickets that the person opened, with everything in them."""
    number = 0
    tickets = Ticket.objects.filter(creator=person).select_for_update().order_by("pk")
    for key in list(tickets.values_list("pk", flat=True)):
        ticket = Ticket.objects.select_related(*Ticket.RELATED).defer(*Ticket.MESSAGE_FIELDS).get(pk=key)
        signals.ticket_deleted.send(Ticket, ticket=ticket, by=by or person)
        account_erasure.shorten_admin_log(Ticket, key, ticket.reference)
        ticket.delete()
        number += 1
    return number


def _erase_texts(person: User, identity: Identity) -> int:
    """Remove the person's name and addresses from what they wrote themselves. Return the number of their tickets."""
    own = Ticket.objects.filter(creator=person)
    written = own | Ticket.objects.filter(opened_by=person)
    for ticket in _mentioning(written, identity, "subject", "content"):
        subject = identity.removed(ticket.subject)[:MAX_SUBJECT]
        replace_text(ticket, identity.removed(ticket.content), subject=subject)
    for reply in _mentioning(Reply.objects.filter(author=person), identity, "message"):
        replace_text(reply, identity.removed(reply.message))
    for earlier in _mentioning(ReplyRevision.objects.filter(reply__author=person), identity, "message"):
        earlier.message = identity.removed(earlier.message)
        earlier.save(update_fields=["message"])
    for file in _mentioning(Attachment.objects.filter(uploader=person), identity, "filename"):
        file.filename = identity.removed(file.filename)[:150]
        file.save(update_fields=["filename"])
    about = Q(ticket__creator=person) | Q(actor=person)
    for entry in TimelineEntry.objects.filter(about, action=TimelineEntry.Action.SUBJECT).iterator():
        entry.public, entry.staff = identity.removed_from(entry.public), identity.removed_from(entry.staff)
        entry.save(update_fields=["public", "staff"])
    return own.count()


def _delete_jobs(identity: Identity) -> None:
    """Delete the jobs that name the person or their network address, such as a mail to them that waits."""
    for job in Job.objects.only("key", "arguments", "error").iterator():
        text = json.dumps([job.key, job.arguments, job.error], ensure_ascii=False)
        if identity.is_in_json(text) or any(address in text for address in identity.network_addresses):
            job.delete()


def _mentioning(rows: QuerySet[Any], identity: Identity, *fields: str) -> Iterator[Any]:
    """Yield the rows whose fields name the person. The pattern decides: databases differ in the case of letters."""
    for row in rows.order_by("pk").iterator(100):
        if any(identity.is_in(getattr(row, field)) for field in fields):
            yield row
