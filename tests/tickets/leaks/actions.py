"""The steps of the leak hunt: every service, and other actions on the site.

A step takes the site and three numbers that choose actor, ticket and value. It returns the ticket, and whether the
step is hidden: then no customer may notice that anything happened.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import DeskSettings, Office, User
from tests.tickets.leaks.site import CUSTOMERS, NOTE_AUTHORS, OBSERVERS, PEOPLE, Desk, Note, pick
from tickets import services
from tickets.models import Priority, Status, Ticket


class Done(NamedTuple):
    """The ticket of a step, whether it is hidden from customers, and the client event it sends."""

    ticket: Ticket | None
    is_hidden: bool
    whisper: tuple[str, str, str] | None = None


REFUSED = Done(None, is_hidden=True)
Step = Callable[[Desk, int, int, int], Done]


def perform(desk: Desk, step: tuple[str, int, int, int]) -> Done:
    """Run the action in a transaction; a refused one is rolled back."""
    kind, who, which, what = step
    try:
        with transaction.atomic():
            return STEPS[kind](desk, who, which, what)
    except (PermissionDenied, ValidationError):
        return REFUSED


# -- Services


def open_ticket(desk: Desk, who: int, which: int, what: int) -> Done:
    by, office = desk.people[pick((*OBSERVERS, "emil"), who)], pick(list(Office.objects.order_by("pk")), which)
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
    """Publish a note whose author customers may know."""
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
    """Make a reply internal; customer messages stay public."""
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
    """Change a ticket; it is hidden if customers see no difference."""
    services.update_ticket(ticket, by=by, values=values)
    return Done(ticket, is_hidden=all(is_invisible(desk, ticket, name, after) for name, after in values.items()))


def is_invisible(desk: Desk, ticket: Ticket, name: str, after: Any) -> bool:
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
    return Done(ticket, is_invisible(desk, ticket, "status", status))


def change_priority(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    priority = pick(list(Priority.objects.all()), what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"priority": priority})
    return Done(ticket, is_invisible(desk, ticket, "priority", priority))


def edit_subject(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    subject = f"Question {what}"
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"subject": subject})
    return Done(ticket, is_invisible(desk, ticket, "subject", subject))


def assignee(desk: Desk, what: int) -> User:
    return desk.people[pick([name for name in PEOPLE if name not in NOTE_AUTHORS], what)]


def assign(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket, person = desk.ticket(which), assignee(desk, what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"assigned_to": person})
    return Done(ticket, is_invisible(desk, ticket, "assigned_to", person))


def unassign(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"assigned_to": None})
    return Done(ticket, is_invisible(desk, ticket, "assigned_to", None))


def office(desk: Desk, what: int) -> Office:
    return pick(list(Office.objects.order_by("-pk")), what)


def move(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket, there = desk.ticket(which), office(desk, what)
    services.update_ticket(ticket, by=desk.actor(ticket, who), values={"office": there})
    return Done(ticket, is_invisible(desk, ticket, "office", there))


def update_ticket(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    values = {"assigned_to": assignee(desk, what), "office": office(desk, what // 3)}
    return changed(desk, ticket, desk.actor(ticket, who), **values)


# -- Other actions


def typing(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    name = pick([*OBSERVERS, "dana", "emil"], who)
    return Done(ticket, is_hidden=False, whisper=(name, "client-typing", ticket.channel))


def noting(desk: Desk, who: int, which: int, what: int) -> Done:
    ticket = desk.ticket(which)
    event = pick(["client-noting", "client-viewing", "client-replying"], what)
    return Done(ticket, is_hidden=True, whisper=(pick(desk.staff(ticket), who), event, ticket.presence_channel))


def upload(desk: Desk, who: int, which: int, what: int) -> Done:
    desk.file(desk.people[pick(NOTE_AUTHORS, who)], desk.mark("kryptonite"), what)
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
        desk.invalidate_history()
    return Done(None, is_hidden=False)


def internal(desk: Desk, who: int, which: int, what: int) -> Done:
    chosen = pick([desk.cast.billing, desk.cast.orders], which)
    chosen.is_internal = not chosen.is_internal
    chosen.save()
    if chosen.is_internal:
        desk.invalidate_history()
    return Done(None, is_hidden=False)


# By the names of services.py; a new service must be added here.
SERVICES: dict[str, Step] = {
    "open_ticket": open_ticket,
    "add_reply": add_reply,
    "delete_reply": delete_reply,
    "change_visibility": change_visibility,
    "delete_ticket": delete_ticket,
    "update_ticket": update_ticket,
}
UPDATES: dict[str, Step] = {
    "change_status": change_status,
    "change_priority": change_priority,
    "assign": assign,
    "unassign": unassign,
    "move": move,
    "edit_subject": edit_subject,
}
# Always hidden from customers.
HIDDEN: dict[str, Step] = {
    "note": note,
    "note with files": note_with_files,
    "delete note": delete_note,
    "noting": noting,
    "upload": upload,
    "profile": profile,
}
OTHERS: dict[str, Step] = {"typing": typing, "names": names, "internal": internal}
# Sometimes hidden from customers.
SOMETIMES_HIDDEN = ("update_ticket", "assign", "move")
STEPS = SERVICES | UPDATES | HIDDEN | OTHERS
