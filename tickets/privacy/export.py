"""Export what is known of a person: JSON documents and files, as the person themselves may read them.

Every ticket they opened comes with its public conversation. Of other tickets only the person's own messages and
entries are exported. Internal notes are exported only to staff of their tickets, and staff appear under the names
that the person may see.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import ApiToken, User
from realtime import Audience
from tickets import payloads, policies
from tickets.models import (
    Attachment,
    DeliveryMark,
    Draft,
    OrganizationMember,
    OrganizationRemoval,
    Participant,
    ReadMark,
    Reply,
    Ticket,
    TicketSubscription,
    TimelineEntry,
)
from tickets.notifications import records
from tickets.notifications.payloads import notification_payload
from tickets.privacy.file_names import FileNames

BATCH_SIZE = 50  # tickets that are read together
FILE_CHUNK = 64 * 1024  # bytes
OMITTED = ("password", "folded_name")  # fields of User: a secret, and a sort key

_TICKETS_MESSAGE = tuple(f"ticket__{field}" for field in Ticket.MESSAGE_FIELDS)
_PUBLIC_MESSAGE = Q(ticket__isnull=False) & (Q(reply=None) | Q(reply__is_internal=False))


@dataclass(frozen=True)
class ExportedFile:
    """A file of the export: its path, and its content in parts."""

    path: str
    parts: Iterable[bytes]


def export_person(person: User) -> Iterator[ExportedFile]:
    """Yield the files of the export. Read the parts of each before asking for the next one."""
    yield from _Export(person).files()


class _Export:
    """One export: the person, and the names of the files in it."""

    def __init__(self, person: User) -> None:
        self.person = person
        # A deactivated person is exported what they could read while they were active.
        self.reader = User.of_kind(person.role, True, pk=person.pk)

    def files(self) -> Iterator[ExportedFile]:
        yield _document("account.json", self._account())
        yield ExportedFile("tickets.json", _array(self._tickets()))
        yield ExportedFile("messages.json", _array(self._messages()))
        yield ExportedFile("activity.json", _array(self._activity()))
        for file in self._attachments:
            yield ExportedFile(self._paths[file.pk], _content(file))

    def _account(self) -> dict[str, Any]:
        fields = [field.name for field in User._meta.concrete_fields if field.name not in OMITTED]
        return {
            "exported_at": timezone.now(),
            "account": {name: getattr(self.person, name) for name in fields},
            "offices": list(self.person.offices.values_list("name", flat=True)),
            "email_addresses": _rows(EmailAddress, self.person, "email", "verified", "primary"),
            "sessions": _rows(UserSession, self.person, "created_at", "last_seen_at", "ip", "user_agent"),
            "single_sign_on": _rows(SocialAccount, self.person, "uid", "date_joined", "last_login"),
            "two_step": _rows(Authenticator, self.person, "type", "created_at", "last_used_at"),
            "api_tokens": _rows(ApiToken, self.person, "id", "name", "scope", "created", "last_used_at", "expiry"),
            "admin_actions": _rows(LogEntry, self.person, "action_time", "action_flag", "content_type__model"),
            "read_tickets": self._read_tickets(),
            "received_tickets": self._received_tickets(),
            "drafts": self._drafts(),
            "notifications": self._notifications(),
            "subscriptions": self._subscriptions(),
            "participates_in": self._participates_in(),
            "organization": self._organization(),
            "removed_from_organizations": self._removed_from(),
            "files": [self._file(file) for file in self._attachments],
        }

    def _read_tickets(self) -> list[dict[str, Any]]:
        """Return when the person last read which ticket; not how far, since numbers count notes."""
        visible = policies.visible_tickets(self.reader).values("pk")
        marks = ReadMark.objects.filter(user=self.person, ticket__in=visible).order_by("pk")
        return [dict(row) for row in marks.values("ticket__reference", "seen_at")]

    def _received_tickets(self) -> list[dict[str, Any]]:
        """Return when a page of the person last received a message of which ticket."""
        visible = policies.visible_tickets(self.reader).values("pk")
        marks = DeliveryMark.objects.filter(user=self.person, ticket__in=visible).order_by("pk")
        return [dict(row) for row in marks.values("ticket__reference", "delivered_at")]

    def _drafts(self) -> list[dict[str, Any]]:
        """Return what the person has not sent yet, also for tickets that they may not open any more."""
        drafts = Draft.objects.filter(user=self.person, is_empty=False).order_by("pk")
        return [dict(row) for row in drafts.values("ticket__uuid", "text", "is_internal", "values", "updated_at")]

    def _notifications(self) -> list[dict[str, Any]]:
        return [notification_payload(each) for each in records.listed(self.reader).order_by("created_at", "pk")]

    def _subscriptions(self) -> list[dict[str, Any]]:
        """Return which tickets the person follows or has muted."""
        visible = policies.visible_tickets(self.reader).values("pk")
        subscriptions = TicketSubscription.objects.filter(user=self.person, ticket__in=visible).order_by("pk")
        return [dict(row) for row in subscriptions.values("ticket__reference", "level")]

    def _organization(self) -> str | None:
        names = OrganizationMember.objects.filter(user=self.person).values_list("organization__name", flat=True)
        return names.first()

    def _removed_from(self) -> list[str]:
        removals = OrganizationRemoval.objects.filter(user=self.person)
        return list(removals.values_list("organization__name", flat=True))

    def _participates_in(self) -> list[dict[str, Any]]:
        joined = Participant.objects.filter(user=self.person).order_by("pk")
        return [dict(row) for row in joined.values("ticket__reference", "created_at")]

    def _tickets(self) -> Iterator[dict[str, Any]]:
        public = Reply.objects.filter(is_internal=False).select_related("author").prefetch_related("attachments")
        entries = TimelineEntry.objects.filter(audience=Audience.PUBLIC)
        entries = entries.select_related("actor", "from_user", "to_user")
        tickets = policies.listed_tickets(self.reader).filter(creator=self.person).defer(None)
        tickets = tickets.select_related(*Ticket.RELATED).prefetch_related(
            Prefetch("replies", public, "public_replies"),
            Prefetch("timeline", entries, "public_timeline"),
            Prefetch("attachments", Attachment.objects.filter(reply=None), "opening_files"),
            "participants",
        )
        for ticket in tickets.order_by("pk").iterator(BATCH_SIZE):
            yield self._ticket(ticket)

    def _ticket(self, ticket: Any) -> dict[str, Any]:
        audience = _audience(ticket)
        return {
            **payloads.ticket_payload(ticket, audience),
            "message": ticket.content,
            "files": self._paths_of(ticket.opening_files),
            "conversation": [
                {"user": payloads.user_payload(reply.author, ticket, audience), **self._reply(reply)}
                for reply in ticket.public_replies
            ],
            "activity": [payloads.timeline_payload(entry, ticket, audience) for entry in ticket.public_timeline],
        }

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Yield what the person wrote in tickets of others; notes only where they are still staff."""
        staffed = Ticket.objects.filter(policies.staffed_by(self.reader)).values("pk")
        written = Reply.objects.filter(author=self.person).filter(Q(is_internal=False) | Q(ticket__in=staffed))
        written = written.exclude(ticket__creator=self.person, is_internal=False)
        replies = written.select_related("ticket").defer(*_TICKETS_MESSAGE).prefetch_related("attachments")
        for reply in replies.order_by("ticket", "number").iterator(BATCH_SIZE):
            yield {"ticket": reply.ticket.reference, **self._reply(reply)}

    def _reply(self, reply: Reply) -> dict[str, Any]:
        return {
            "id": str(reply.pk),
            "is_internal": reply.is_internal,
            "created_at": reply.created_at,
            "message": reply.message,
            "edited_at": reply.edited_at,
            "earlier_versions": self._earlier_versions(reply),
            "files": self._paths_of(reply.attachments.all()),
        }

    def _earlier_versions(self, reply: Reply) -> list[dict[str, Any]]:
        """Return the texts of the person's own message before its edits; those of others are for staff.

        So are those of a message that was a note.
        """
        if reply.author_id != self.person.pk or (reply.visibility_changed and self.person.is_customer):
            return []
        return [dict(row) for row in reply.revisions.values("written_at", "message")]

    def _activity(self) -> Iterator[dict[str, Any]]:
        """Yield the entries by or about the person in the tickets of others."""
        about = Q(actor=self.person) | Q(from_user=self.person) | Q(to_user=self.person)
        entries = policies.visible_activity(self.reader).filter(about).exclude(ticket__creator=self.person)
        for entry in entries.order_by("pk").iterator(BATCH_SIZE):
            audience = _audience(entry)
            yield {
                "ticket": entry.ticket.reference,
                **payloads.timeline_payload(entry, entry.ticket, audience),
            }

    @cached_property
    def _attachments(self) -> list[Attachment]:
        own = Q(uploader=self.person) & (_PUBLIC_MESSAGE | Q(pk__in=self._visible_files().values("pk")))
        theirs = Q(ticket__creator=self.person) & _PUBLIC_MESSAGE
        files: QuerySet[Attachment] = Attachment.objects.filter(own | theirs).select_related("ticket")
        return list(files.defer(*_TICKETS_MESSAGE).order_by("created_at", "pk"))

    def _visible_files(self) -> QuerySet[Attachment]:
        return policies.visible_attachments(self.reader)

    @cached_property
    def _paths(self) -> dict[Any, str]:
        names = FileNames()
        folders = {file.pk: "unsent" if file.ticket is None else file.ticket.reference for file in self._attachments}
        return {file.pk: names.path("files", folders[file.pk], file.filename) for file in self._attachments}

    def _paths_of(self, files: Iterable[Attachment]) -> list[str]:
        return [self._paths[file.pk] for file in files if file.pk in self._paths]

    def _file(self, file: Attachment) -> dict[str, Any]:
        return {
            "path": self._paths[file.pk],
            "filename": file.filename,
            "content_type": file.content_type,
            "size": file.size,
            "created_at": file.created_at,
            "is_stored": file.file.storage.exists(str(file.file.name)),
        }


def _audience(row: Any) -> Audience:
    """Return the audience of the person for a row of a policy's list."""
    return Audience.STAFF if row.is_staffed else Audience.PUBLIC


def _rows(model: Any, person: User, *fields: str) -> list[dict[str, Any]]:
    return list(model._default_manager.filter(user=person).order_by("pk").values(*fields))


def _content(file: Attachment) -> Iterator[bytes]:
    """Yield the stored file; nothing if the storage has lost it, which `is_stored` says."""
    try:
        with file.file.open("rb") as stored:
            yield from stored.chunks(FILE_CHUNK)
    except FileNotFoundError:
        return


def _document(path: str, data: dict[str, Any]) -> ExportedFile:
    return ExportedFile(path, [_json(data)])


def _array(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a JSON array without holding all of its rows."""
    separator = b"[\n"
    for row in rows:
        yield separator + _json(row)
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def _json(data: dict[str, Any]) -> bytes:
    return _ENCODER.encode(data).encode()


_ENCODER = DjangoJSONEncoder(indent=2, ensure_ascii=False)
