"""A desk on which random people do random things, and what of it is nobody's business but staff's.

What is a secret is told by plain rules of its own: the policies are what is hunted.
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
from tests.tickets.test_files import PNG
from tickets import files, services
from tickets.models import Attachment, Reply, Ticket

Thing = TypeVar("Thing")

CUSTOMERS = ("casey", "greta")
ONLOOKERS = (*CUSTOMERS, "bao")  # Bao is staff of Billing's tickets, and a customer where he merely asked
SCRIBES = ("noor", "ines")  # who write notes, and nothing else: nobody but staff knows of them
PEOPLE = ("ada", "bao", "dana", "emil", "fatima", *CUSTOMERS, *SCRIBES)


def pick(things: Sequence[Thing], number: int) -> Thing:
    return things[number % len(things)]


def moments(*times: datetime) -> Iterator[str]:
    """Yield the beginnings of what a time may be written as, down to its milliseconds."""
    for time in times:
        yield time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


@dataclass
class Note:
    """An internal note, and everything by which one could learn of it."""

    mark: str
    reply: Reply
    ticket: Ticket
    files: list[Attachment] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    is_gone: bool = False
    was_reply: bool = False  # its customer knows that it was there
    is_reply: bool = False  # everybody may read it, but not know since when it was there

    @property
    def words(self) -> list[str]:
        """Text, file names and contents begin with the mark; beside it what the database gave the note."""
        if self.is_reply:
            return [*moments(*self.times)]
        if self.was_reply:
            return [self.mark]
        return [self.mark, str(self.reply.pk), *(str(file.pk) for file in self.files), *moments(*self.times)]


class Desk:
    """The cast, two agents who only write notes, and everything that was ever said."""

    def __init__(self) -> None:
        self.begin = self.start = history.current_cursor()
        self.closed = 0
        self.cast = casting.gather()
        self.noor = self._scribe("Noor Quill", self.cast.billing)
        self.ines = self._scribe("Ines Ferrante", self.cast.orders)
        self.cellar = Office.objects.create(name="Cellar Crew", is_internal=True)
        self.people: dict[str, User] = {name: self._person(name) for name in PEOPLE}
        names = {person.pk: name for name, person in self.people.items()}
        offices = Office.objects.prefetch_related("agents")
        self.offices = {office.pk: {names[agent.pk] for agent in office.agents.all()} for office in offices}
        self.turn = itertools.count(1)
        self.notes: list[Note] = []
        self.said: dict[str, Reply] = {}
        services.open_ticket(by=self.cast.bao, subject="Chair", content="It broke", office=self.cast.orders)

    def _person(self, name: str) -> User:
        person: User = getattr(self, name) if name in SCRIBES else getattr(self.cast, name)
        return person

    def _scribe(self, name: str, office: Office) -> User:
        person = User.objects.create_user(
            f"{name.split(maxsplit=1)[0].lower()}@example.com", name=name, role=User.Role.AGENT
        )
        office.agents.add(person)
        return person

    # -- Who may know what

    def tickets(self) -> list[Ticket]:
        return list(Ticket.objects.select_related("creator", "office", "assigned_to").order_by("pk"))

    def ticket(self, number: int) -> Ticket:
        """Return one of the tickets; the first ones more often than not."""
        tickets = self.tickets()
        if not tickets:
            tickets = [
                services.open_ticket(by=self.cast.casey, subject="Anew", content="x", office=self.cast.billing)
            ]
        return pick(tickets, number)

    def now(self, ticket: Ticket) -> Ticket:
        """Return a ticket as it stands."""
        return Ticket.objects.select_related("creator", "office", "assigned_to").get(pk=ticket.pk)

    def is_staff(self, name: str, ticket: Ticket) -> bool:
        """Say whether someone works on a ticket, by the words of the design; here nobody changes his office."""
        person = self.people[name]
        if person.role == "customer":
            return False
        return person.role == "admin" or name in self.offices[ticket.office_id] or ticket.assigned_to_id == person.pk

    def staff(self, ticket: Ticket) -> list[str]:
        return [name for name in self.people if self.is_staff(name, ticket)]

    def asked(self, name: str) -> list[Ticket]:
        """Return the tickets of which somebody is a customer, and no more than that."""
        own = [ticket for ticket in self.tickets() if ticket.creator_id == self.people[name].pk]
        return [ticket for ticket in own if not self.is_staff(name, ticket)]

    def of_staff(self, name: str) -> list[Ticket]:
        return [ticket for ticket in self.tickets() if self.is_staff(name, ticket)]

    def notes_for(self, name: str) -> list[Note]:
        """Return the notes that somebody may read just now."""
        return [note for note in self.notes_near(name) if not note.is_gone and not note.is_reply]

    def notes_near(self, name: str) -> list[Note]:
        """Return the notes, gone ones too, on tickets of which somebody is staff."""
        there = {ticket.pk for ticket in self.of_staff(name)}
        return [note for note in self.notes if note.ticket.pk in there]

    def secrets(self, name: str) -> list[str]:
        """Return every word by which somebody would learn of a note that is none of his business."""
        known = {note.mark for note in self.notes_near(name)}
        return [word for note in self.notes if note.mark not in known for word in note.words]

    def masked(self, name: str) -> list[str]:
        """Return what a customer may not be told of staff: who only writes notes, and names behind the mask."""
        others = [person for other, person in self.people.items() if other not in (*CUSTOMERS, *SCRIBES, name)]
        first, last = ([person.name.split()[place] for person in others] for place in (0, -1))
        hidden = {"full": [], "first": last, "office": first + last}[self.names]
        scribes = [word for each in (self.noor, self.ines) for word in (*each.name.split(), str(each.pk))]
        addresses = [person.email for other, person in self.people.items() if other != name]
        internal = Office.objects.filter(is_internal=True).values_list("name", flat=True)
        return [*hidden, *scribes, *addresses, *internal]

    @property
    def names(self) -> str:
        """How customers are to see staff."""
        return DeskSettings.current().staff_names

    def has_masks(self) -> bool:
        """Say whether there are changes of which customers see nothing."""
        return self.names != "full" or any(ticket.office.is_internal for ticket in self.tickets())

    def shown(self, person: User | None, ticket: Ticket) -> str | None:
        """Return what a customer sees of a person: what is the same before and after, he is not to notice."""
        if person is None:
            return None
        if person.pk == ticket.creator_id or self.names == "full":
            return person.name
        return person.name.split()[0] if self.names == "first" else "the office"

    # -- What is done

    def actor(self, ticket: Ticket, number: int) -> User:
        """Return who acts: every other time anybody, who may not be allowed to."""
        staff = [name for name in self.staff(ticket) if name not in SCRIBES]
        anybody = [name for name in PEOPLE if name not in SCRIBES]
        return self.people[pick(anybody if number % 4 == 3 else staff, number // 4)]

    def writer(self, ticket: Ticket, number: int) -> User:
        """Return who writes a note: mostly somebody who does nothing else."""
        scribes = [name for name in self.staff(ticket) if name in SCRIBES]
        return self.people[pick(scribes, number)] if scribes and number % 4 < 2 else self.actor(ticket, number)

    def file(self, by: User, mark: str, number: int) -> Attachment:
        name, content = (f"{mark}-name.txt", b"") if number % 2 else (f"{mark}-name.png", PNG)
        return files.store(SimpleUploadedFile(name, content + f"{mark}-content".encode()), by=by)

    def mark(self, kind: str) -> str:
        return f"{kind}{next(self.turn):03d}"

    def write_note(self, ticket: Ticket, by: User, most_files: int = 0) -> Note:
        mark = self.mark("kryptonite")
        sent = [self.file(by, mark, number) for number in range(most_files)]
        text = f"{mark} about {ticket.subject}"
        reply = services.add_reply(ticket, by=by, message=text, internal=True, attachments=sent)
        note = Note(mark, reply, reply.ticket, sent)
        self.notes.append(note)
        self.remember_times(note)
        return note

    def remember_times(self, note: Note) -> None:
        """Remember when something happened to a note, as the ticket, its timeline and the log have it."""
        ticket = Ticket.objects.get(pk=note.ticket.pk)
        told: Any = Broadcast.objects.exclude(guard="").latest("pk")
        line = ticket.timeline.latest("pk")
        note.times += [ticket.updated_at, line.created_at, told.created_at, note.reply.created_at]
        note.times += [file.created_at for file in note.files]

    def close_past(self) -> None:
        """Remember that the history begins anew, after the notes that were written so far."""
        self.start, self.closed = history.current_cursor(), len(self.notes)

    def say(self, ticket: Ticket, by: User, most_files: int = 0) -> Reply:
        mark = self.mark("limelight")
        sent = [self.file(by, mark, number) for number in range(most_files)]
        reply = services.add_reply(ticket, by=by, message=mark, attachments=sent)
        self.said[mark] = reply
        return reply
