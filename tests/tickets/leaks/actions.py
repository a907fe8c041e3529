"""What people do on the desk: every verb of the services, and what else happens there.

A step takes the desk and three numbers that choose who does what to which ticket. It returns the ticket that it was
about, and whether nobody but staff is to notice that anything has happened at all.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import DeskSettings, Office, User
from tests.tickets.leaks.site import CUSTOMERS, ONLOOKERS, PEOPLE, SCRIBES, Desk, Note, pick
from tickets import services
from tickets.models import Priority, Status, Ticket


class Done(NamedTuple):
    """What a step was about, and whether nobody but staff may notice it; who says what on which channel."""

    ticket: Ticket | None
    is_hidden: bool
    whisper: tuple[str, str, str] | None = None


REFUSED = Done(None, is_hidden=True)
Verb = Callable[[Desk, int, int, int], Done]


def perform(desk: Desk, step: tuple[str, int, int, int]) -> Done:
    """Do it, all or nothing; what is refused has not happened."""
    kind, who, which, what = step
    try:
        with transaction.atomic():
            return STEPS[kind](desk, who, which, what)
    except (PermissionDenied, ValidationError):
        return REFUSED


# -- The verbs


def open_ticket(desk: Desk, who: int, which: int, what: int) -> Done:
    by, office = desk.people[pick((*ONLOOKERS, "emil"), who)], pick(list(Office.objects.order_by("pk")), which)
    sent = [desk.file(by, desk.mark("limelight"), what)] if what % 2 else []
    words = {"subject": f"Question {next(desk.turn)}", "content": "Why?", "office": office}
    return Done(services.open_ticket(by=by, attachments=sent, **words), is_hidden=False)


def add_reply(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    by = ticket.creator if who % 2 else desk.actor(ticket, who // 2)
    desk.say(ticket, by, what % 3)
    return Done(ticket, is_hidden=False)


def note(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    desk.write_note(ticket, desk.writer(ticket, who))
    return Done(ticket, is_hidden=True)


def note_with_files(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    desk.write_note(ticket, desk.writer(ticket, who), most_files=1 + what % 2)
    return Done(ticket, is_hidden=True)


def delete_reply(desk: Desk, who: int, which: int, what: int) -> Done:
    replies = {mark: reply for mark, reply in desk.said.items() if reply.ticket in desk.tickets()}
    if not replies:
        return REFUSED
    mark = pick(list(replies), which)
    reply = replies[mark]
    by = reply.author if who % 2 else desk.cast.ada
    services.delete_reply(reply, by=by)
    del desk.said[mark]
    desk.notes = [note for note in desk.notes if note.mark != mark]
    return Done(reply.ticket, is_hidden=False)


def delete_note(desk: Desk, who: int, which: int, what: int) -> Done:
    notes = [note for note in desk.notes if not note.is_gone and not note.is_reply]
    if not notes:
        return REFUSED
    gone = pick(notes, which)
    services.delete_reply(gone.reply, by=desk.cast.ada if who % 2 else gone.reply.author)
    gone.is_gone = True
    desk.remember_times(gone)
    return Done(gone.ticket, is_hidden=True)


def change_visibility(desk: Desk, who: int, which: int, what: int) -> Done:
    return publish(desk, who, which) if what % 2 else hide(desk, who, which)


def publish(desk: Desk, who: int, which: int) -> Done:
    """Make a note public of somebody whom customers may know."""
    scribes = {desk.noor.pk, desk.ines.pk}
    notes = [
        note for note in desk.notes if not (note.is_gone or note.is_reply) and note.reply.author_id not in scribes
    ]
    if not notes:
        return REFUSED
    note = pick(notes, which)
    services.change_visibility(note.reply, by=desk.actor(desk.now(note.ticket), who), internal=False)
    note.is_reply = True
    desk.said[note.mark] = note.reply
    return Done(note.ticket, is_hidden=False)


def hide(desk: Desk, who: int, which: int) -> Done:
    """Make a reply internal; what the ticket's customer wrote stays public."""
    replies = {mark: reply for mark, reply in desk.said.items() if reply.author_id != reply.ticket.creator_id}
    if not replies:
        return REFUSED
    mark = pick(list(replies), which)
    reply, ticket = desk.said[mark], desk.now(desk.said[mark].ticket)
    services.change_visibility(reply, by=desk.actor(ticket, who), internal=True)
    del desk.said[mark]
    desk.notes = [note for note in desk.notes if note.mark != mark]
    desk.notes.append(Note(mark, reply, ticket, list(reply.attachments.all()), was_reply=True))
    return Done(ticket, is_hidden=False)


def delete_ticket(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    services.delete_ticket(ticket, by=desk.cast.ada if what % 2 else desk.actor(ticket, who))
    for gone in desk.notes:
        gone.is_gone |= gone.ticket == ticket
    desk.said = {mark: reply for mark, reply in desk.said.items() if reply.ticket != ticket}
    return Done(None, is_hidden=False)


def changed(desk: Desk, ticket: Ticket, by: User, **values: Any) -> Done:
    """Change a ticket; a customer notices what he sees something of."""
    services.update_ticket(ticket, by=by, values=values)
    return Done(ticket, is_hidden=all(is_unseen(desk, ticket, name, after) for name, after in values.items()))


def is_unseen(desk: Desk, ticket: Ticket, name: str, after: Any) -> bool:
    before = getattr(ticket, name)
    if name == "assigned_to":
        return desk.shown(before, ticket) == desk.shown(after, ticket)
    if name == "office":
        return before == after or (before.is_internal and after.is_internal)
    return bool(before == after)


def change_status(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    status = pick(list(Status.objects.all()), what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"status": status})
    return Done(ticket, is_unseen(desk, ticket, "status", status))


def change_priority(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    priority = pick(list(Priority.objects.all()), what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"priority": priority})
    return Done(ticket, is_unseen(desk, ticket, "priority", priority))


def edit_subject(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    subject = f"Question {what}"
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"subject": subject})
    return Done(ticket, is_unseen(desk, ticket, "subject", subject))


def assignee(desk: Desk, what: int) -> User:
    return desk.people[pick([name for name in PEOPLE if name not in SCRIBES], what)]


def assign(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket, person = desk.ticket(which), assignee(desk, what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"assigned_to": person})
    return Done(ticket, is_unseen(desk, ticket, "assigned_to", person))


def unassign(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"assigned_to": None})
    return Done(ticket, is_unseen(desk, ticket, "assigned_to", None))


def office(desk: Desk, what: int) -> Office:
    return pick(list(Office.objects.order_by("-pk")), what)


def move(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket, there = desk.ticket(which), office(desk, what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"office": there})
    return Done(ticket, is_unseen(desk, ticket, "office", there))


def change(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    values = {"assigned_to": assignee(desk, what), "office": office(desk, what // 3)}
    return changed(desk, ticket, desk.actor(ticket, who), **values)


# -- What else happens


def typing(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    name = pick([*ONLOOKERS, "dana", "emil"], who)
    return Done(ticket, is_hidden=False, whisper=(name, "client-typing", ticket.channel))


def noting(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    event = pick(["client-noting", "client-viewing", "client-replying"], what)
    return Done(ticket, is_hidden=True, whisper=(pick(desk.staff(ticket), who), event, ticket.presence_channel))


def upload(desk: Desk, who: int, which: int, what: int) -> Done:
    desk.file(desk.people[pick(SCRIBES, who)], desk.mark("kryptonite"), what)
    return Done(None, is_hidden=True)


def profile(desk: Desk, who: int, which: int, what: int) -> Done:
    person = User.objects.get(pk=desk.people[pick([name for name in PEOPLE if name not in CUSTOMERS], who)].pk)
    person.hides_online, person.hides_read_marks = bool(what % 2), bool(what // 2 % 2)
    person.save()
    return Done(None, is_hidden=True)


def names(desk: Desk, who: int, which: int, what: int) -> Done:
    names = pick(["full", "first", "office"], what)
    if names != desk.names:
        DeskSettings.objects.update_or_create(pk=1, defaults={"staff_names": names})
        desk.close_past()
    return Done(None, is_hidden=False)


def internal(desk: Desk, who: int, which: int, what: int) -> Done:
    chosen = pick([desk.cast.billing, desk.cast.orders], which)
    chosen.is_internal = not chosen.is_internal
    chosen.save()
    if chosen.is_internal:
        desk.close_past()
    return Done(None, is_hidden=False)


# By the names of services.py: whoever adds a verb there teaches it to the hunt.
VERBS: dict[str, Verb] = {
    "open_ticket": open_ticket,
    "add_reply": add_reply,
    "delete_reply": delete_reply,
    "change_visibility": change_visibility,
    "delete_ticket": delete_ticket,
    "change": change,
    "change_status": change_status,
    "change_priority": change_priority,
    "assign": assign,
    "unassign": unassign,
    "move": move,
    "edit_subject": edit_subject,
}
# Of which nobody but staff ever notices anything.
SILENT: dict[str, Verb] = {
    "note": note,
    "note with files": note_with_files,
    "delete note": delete_note,
    "noting": noting,
    "upload": upload,
    "profile": profile,
}
OTHERS: dict[str, Verb] = {"typing": typing, "names": names, "internal": internal}
# Of which it depends.
PERHAPS = ("change", "assign", "move")
STEPS = VERBS | SILENT | OTHERS
