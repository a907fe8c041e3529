"""The site of the leak hunt: its users, tickets and notes, and what must stay secret.

Secrets are computed by independent rules, since the policies are under test.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import DeskSettings, Office, User
from realtime.broadcasting import history
from realtime.models import Broadcast
from tests.support import cast as casting
from tests.tickets.files.test_files import PNG
from tickets import files, services
from tickets.models import (
    Attachment,
    Organization,
    OrganizationMember,
    Participant,
    Reply,
    Status,
    Ticket,
)
from tickets.people.customers import add_customer_note

Thing = TypeVar("Thing")

CUSTOMERS = ("casey", "greta")
OBSERVERS = (*CUSTOMERS, "bao")  # Bao is staff of Billing's tickets, and a customer of one ticket
NOTE_AUTHORS = ("noor", "ines")  # agents who only write notes: customers never see them
PEOPLE = ("ada", "bao", "dana", "emil", "fatima", *CUSTOMERS, *NOTE_AUTHORS)


def pick(things: Sequence[Thing], number: int) -> Thing:
    return things[number % len(things)]


def moments(*times: datetime) -> Iterator[str]:
    """Yield the notations of a time, down to milliseconds."""
    for time in times:
        yield time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


@dataclass
class Note:
    """An internal note, and everything that would reveal it."""

    mark: str
    reply: Reply
    ticket: Ticket
    files: list[Attachment] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    is_gone: bool = False
    was_reply: bool = False  # its customer saw it as a reply
    is_reply: bool = False  # published: its earlier existence is secret

    @property
    def words(self) -> list[str]:
        """The marker that starts its text, file names and contents, and the ids of its row."""
        if self.is_reply:
            return [*moments(*self.times)]
        if self.was_reply:
            return [self.mark]
        return [self.mark, str(self.reply.pk), *(str(file.pk) for file in self.files), *moments(*self.times)]


class Site:
    """The cast, two agents who only write notes, and all messages."""

    def __init__(self) -> None:
        self.begin = self.start = history.current_cursor()
        self.closed = 0
        self.cast = casting.create_cast()
        self.noor = self._note_author("Noor Quill", self.cast.billing)
        self.ines = self._note_author("Ines Ferrante", self.cast.orders)
        self.cellar = Office.objects.create(name="Cellar Crew", is_internal=True)
        self.people: dict[str, User] = {name: self._person(name) for name in PEOPLE}
        names = {user.pk: name for name, user in self.people.items()}
        offices = Office.objects.prefetch_related("agents")
        self.offices = {office.pk: {names[agent.pk] for agent in office.agents.all()} for office in offices}
        self.turn = itertools.count(1)
        self.notes: list[Note] = []
        self.said: dict[str, Reply] = {}
        self.deleted: list[str] = []  # the marks of deleted replies
        self.drafts: dict[tuple[str, int], str] = {}  # the text, by author and ticket
        self.drafted: list[tuple[str, str]] = []
        self.mentions: list[tuple[str, Note]] = []
        self.private = add_customer_note(self.cast.casey, by=self.cast.ada, text="obsidian")
        services.open_ticket(by=self.cast.bao, subject="Chair", content="It broke", office=self.cast.orders)

    def _person(self, name: str) -> User:
        user: User = getattr(self, name) if name in NOTE_AUTHORS else getattr(self.cast, name)
        return user

    def _note_author(self, name: str, office: Office) -> User:
        user = User.objects.create_user(
            f"{name.split(maxsplit=1)[0].lower()}@example.com", name=name, role=User.Role.AGENT
        )
        office.agents.add(user)
        return user

    # -- Access

    def tickets(self) -> list[Ticket]:
        return list(Ticket.objects.select_related("creator", "office", "assigned_to").order_by("pk"))

    def ticket(self, number: int) -> Ticket:
        """Return a ticket, preferring the first ones."""
        tickets = self.tickets()
        if not tickets:
            tickets = [
                services.open_ticket(by=self.cast.casey, subject="Anew", content="x", office=self.cast.billing)
            ]
        return pick(tickets, number)

    def now(self, ticket: Ticket) -> Ticket:
        """Return the ticket's current row."""
        return Ticket.objects.select_related("creator", "office", "assigned_to").get(pk=ticket.pk)

    def is_staff(self, name: str, ticket: Ticket) -> bool:
        """Return whether a user is staff of a ticket, computed from the design; offices do not change here."""
        user = self.people[name]
        if user.role == "customer":
            return False
        return user.role == "admin" or name in self.offices[ticket.office_id] or ticket.assigned_to_id == user.pk

    def staff(self, ticket: Ticket) -> list[str]:
        return [name for name in self.people if self.is_staff(name, ticket)]

    def asked(self, name: str) -> list[Ticket]:
        """Return the tickets of which a user is only the customer or a participant."""
        return [ticket for ticket in self.tickets() if self.asks(name, ticket) and not self.is_staff(name, ticket)]

    def asks(self, name: str, ticket: Ticket) -> bool:
        """Return whether a user is the customer or a participant of a ticket, or another member may read it."""
        key = self.people[name].pk
        joined = Participant.objects.filter(ticket=ticket, user=key).exists()
        return ticket.creator_id == key or joined or self.shares(name, ticket)

    def shares(self, name: str, ticket: Ticket) -> bool:
        """Return whether two customers are members of an organization whose switch is on."""
        pair = {self.people[name].pk, ticket.creator_id}
        members = OrganizationMember.objects.filter(user__in=pair, organization__members_see_tickets=True)
        is_customers = name in CUSTOMERS and ticket.creator.role == User.Role.CUSTOMER
        return is_customers and len(set(members.values_list("organization", "user"))) == 2

    def organization(self) -> Organization:
        """Return the only organization; a new one shows its members nothing."""
        return Organization.objects.first() or Organization.objects.create(name="Acme")

    def of_staff(self, name: str) -> list[Ticket]:
        return [ticket for ticket in self.tickets() if self.is_staff(name, ticket)]

    def notes_for(self, name: str) -> list[Note]:
        """Return the notes that a user may read now."""
        return [note for note in self.notes_near(name) if not note.is_gone and not note.is_reply]

    def notes_near(self, name: str) -> list[Note]:
        """Return the notes, including deleted ones, on tickets that a user is staff of."""
        there = {ticket.pk for ticket in self.of_staff(name)}
        return [note for note in self.notes if note.ticket.pk in there]

    def secrets(self, name: str) -> list[str]:
        """Return every word that would reveal a note, a tag (named quartz) or another's draft to a user."""
        known = {note.mark for note in self.notes_near(name)}
        private = [self.private.text, "quartz"] if name in CUSTOMERS else []
        drafted = [mark for author, mark in self.drafted if author != name]
        return [*private, *drafted, *(word for note in self.notes if note.mark not in known for word in note.words)]

    def masked(self, name: str) -> list[str]:
        """Return the names of staff that customers must not see: note writers, and masked names."""
        others = [user for other, user in self.people.items() if other not in (*CUSTOMERS, *NOTE_AUTHORS, name)]
        first, last = ([user.name.split()[place] for user in others] for place in (0, -1))
        hidden = {"full": [], "first": last, "office": first + last}[self.names]
        note_authors = [word for each in (self.noor, self.ines) for word in (*each.name.split(), str(each.pk))]
        addresses = [user.email for other, user in self.people.items() if other != name]
        internal = Office.objects.filter(is_internal=True).values_list("name", flat=True)
        return [*hidden, *note_authors, *addresses, *internal]

    @property
    def names(self) -> str:
        """The setting of staff names for customers."""
        return DeskSettings.current().staff_names

    def has_masks(self) -> bool:
        """Return whether some changes are invisible to customers."""
        return self.names != "full" or any(ticket.office.is_internal for ticket in self.tickets())

    def shown(self, user: User | None, ticket: Ticket) -> str | None:
        """Return a user as customers see them; an unchanged value must not be noticeable."""
        if user is None:
            return None
        if user.pk == ticket.creator_id or self.names == "full":
            return user.name
        return user.name.split()[0] if self.names == "first" else "the office"

    # -- Actors

    def actor(self, ticket: Ticket, number: int) -> User:
        """Return the actor: every other time any user, who may lack permission."""
        staff = [name for name in self.staff(ticket) if name not in NOTE_AUTHORS]
        anybody = [name for name in PEOPLE if name not in NOTE_AUTHORS]
        return self.people[pick(anybody if number % 4 == 3 else staff, number // 4)]

    def writer(self, ticket: Ticket, number: int) -> User:
        """Return the author of a note: mostly an agent who does nothing else."""
        note_authors = [name for name in self.staff(ticket) if name in NOTE_AUTHORS]
        return (
            self.people[pick(note_authors, number)] if note_authors and number % 4 < 2 else self.actor(ticket, number)
        )

    def file(self, by: User, mark: str, number: int) -> Attachment:
        name, content = (f"{mark}-name.txt", b"") if number % 2 else (f"{mark}-name.png", PNG)
        return files.store(SimpleUploadedFile(name, content + f"{mark}-content".encode()), by=by)

    def mark(self, kind: str) -> str:
        return f"{kind}{next(self.turn):03d}"

    def write_note(self, ticket: Ticket, by: User, most_files: int = 0, mentioned: Sequence[User] = ()) -> Note:
        mark = self.mark("kryptonite")
        sent = [self.file(by, mark, number) for number in range(most_files)]
        text = " ".join([f"{mark} about {ticket.subject}", *(f"@{user.name}" for user in mentioned)])
        keys = [user.pk for user in mentioned]
        reply = services.add_reply(ticket, by=by, message=text, internal=True, attachments=sent, mentions=keys)
        note = Note(mark, reply, reply.ticket, sent)
        self.notes.append(note)
        self.remember_times(note)
        return note

    def remember_times(self, note: Note) -> None:
        """Record the times of a note in the ticket, the timeline and the log."""
        ticket = Ticket.objects.get(pk=note.ticket.pk)
        history_events: Any = Broadcast.objects.exclude(guard="").latest("pk")
        line = ticket.timeline.latest("pk")
        note.times += [ticket.updated_at, line.created_at, history_events.created_at, note.reply.created_at]
        note.times += [file.created_at for file in note.files]

    def invalidate_history(self) -> None:
        """Record that the history was invalidated after the notes so far."""
        self.start, self.closed = history.current_cursor(), len(self.notes)

    def write_draft(self, name: str, ticket: Ticket) -> str:
        """Return the text of a new draft, which is its author's alone."""
        self.drafts[name, ticket.pk] = mark = self.mark("basalt")
        self.drafted.append((name, mark))
        return mark

    def say(self, ticket: Ticket, by: User, most_files: int = 0, status: Status | None = None) -> Reply:
        mark = self.mark("limelight")
        sent = [self.file(by, mark, number) for number in range(most_files)]
        reply = services.add_reply(ticket, by=by, message=mark, attachments=sent, status=status)
        self.said[mark] = reply
        return reply
