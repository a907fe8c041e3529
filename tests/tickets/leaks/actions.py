"""The steps of the leak hunt: every service, and other actions on the site.

A step takes the site and three numbers that choose actor, ticket and value. It returns the ticket, and whether the
step is hidden: then no customer may notice that anything happened.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import DeskSettings, Office, User
from tests.tickets.leaks import mails, together
from tests.tickets.leaks.site import CUSTOMERS, NOTE_AUTHORS, OBSERVERS, PEOPLE, Note, Site, pick
from tests.tickets.leaks.together import REFUSED, Done
from tickets import services
from tickets.actors import Cause, System
from tickets.links import services as links
from tickets.macros import services as macros
from tickets.merging import services as merging
from tickets.models import Macro, Participant, Priority, Status, Tag, Ticket, TicketLink
from tickets.people import organizations, participants
from tickets.snooze import services as snooze
from tickets.splitting import services as splitting
from tickets.tags import services as tags

Step = Callable[[Site, int, int, int], Done]


def perform(site: Site, step: tuple[str, int, int, int]) -> Done:
    """Run the action in a transaction; a refused one is rolled back."""
    kind, who, which, what = step
    try:
        with transaction.atomic():
            return STEPS[kind](site, who, which, what)
    except (PermissionDenied, ValidationError):
        return REFUSED


# -- Services


def open_ticket(site: Site, who: int, which: int, what: int) -> Done:
    by, office = site.people[pick((*OBSERVERS, "emil"), who)], pick(list(Office.objects.order_by("pk")), which)
    sent = [site.file(by, site.mark("limelight"), what)] if what % 2 else []
    words = {"subject": f"Question {next(site.turn)}", "content": "Why?", "office": office}
    return Done(services.open_ticket(by=by, attachments=sent, **words), is_hidden=False)


def open_ticket_for(site: Site, who: int, which: int, what: int) -> Done:
    by, customer = site.people[pick(("bao", "emil", "ada"), who)], site.people[pick(CUSTOMERS, which)]
    words = {"subject": f"Question {next(site.turn)}", "content": "By telephone.", "office": site.cast.orders}
    return Done(services.open_ticket_for(customer.email, by=by, **words), is_hidden=False)


def add_reply(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    customers = [site.people[name] for name in CUSTOMERS if site.asks(name, ticket)]
    by = pick([ticket.creator, *customers], who // 2) if who % 2 else site.actor(ticket, who // 2)
    status = pick(list(Status.objects.all()), what) if what % 4 == 3 else None
    site.say(ticket, by, what % 3, status)
    return Done(ticket, is_hidden=False)


def note(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    site.write_note(ticket, site.writer(ticket, who))
    return Done(ticket, is_hidden=True)


def note_with_files(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    site.write_note(ticket, site.writer(ticket, who), most_files=1 + what % 2)
    return Done(ticket, is_hidden=True)


def delete_reply(site: Site, who: int, which: int, what: int) -> Done:
    replies = {mark: reply for mark, reply in site.said.items() if reply.ticket in site.tickets()}
    if not replies:
        return REFUSED
    mark = pick(list(replies), which)
    reply = replies[mark]
    by = reply.author if who % 2 else site.cast.ada
    services.delete_reply(reply, by=by)
    del site.said[mark]
    site.deleted.append(mark)
    site.notes = [note for note in site.notes if note.mark != mark]
    return Done(reply.ticket, is_hidden=False)


def delete_note(site: Site, who: int, which: int, what: int) -> Done:
    notes = [note for note in site.notes if not note.is_gone and not note.is_reply]
    if not notes:
        return REFUSED
    gone = pick(notes, which)
    services.delete_reply(gone.reply, by=site.cast.ada if who % 2 else gone.reply.author)
    gone.is_gone = True
    site.remember_times(gone)
    return Done(gone.ticket, is_hidden=True)


def edit_reply(site: Site, who: int, which: int, what: int) -> Done:
    """Edit a reply: every fourth time by another user, who may not."""
    replies = {mark: reply for mark, reply in site.said.items() if reply.ticket in site.tickets()}
    if not replies:
        return REFUSED
    mark = pick(list(replies), which)
    reply = replies[mark]
    by = site.cast.ada if who % 4 == 3 else reply.author
    services.edit_reply(reply, by=by, message=f"{mark} again {next(site.turn)}")
    return Done(reply.ticket, is_hidden=False)


def edit_note(site: Site, who: int, which: int, what: int) -> Done:
    """Edit a note whose author is still staff of its ticket."""
    notes = [
        note
        for note in site.notes
        if not (note.is_gone or note.is_reply)
        and note.reply.author_id in {site.people[name].pk for name in site.staff(site.now(note.ticket))}
    ]
    if not notes:
        return REFUSED
    note = pick(notes, which)
    services.edit_reply(note.reply, by=note.reply.author, message=f"{note.mark} again {next(site.turn)}")
    site.remember_times(note)
    return Done(note.ticket, is_hidden=True)


def change_visibility(site: Site, who: int, which: int, what: int) -> Done:
    return publish(site, who, which) if what % 2 else hide(site, who, which)


def publish(site: Site, who: int, which: int) -> Done:
    """Publish a note whose author customers may know."""
    note_authors = {site.noor.pk, site.ines.pk}
    notes = [
        note
        for note in site.notes
        if not (note.is_gone or note.is_reply) and note.reply.author_id not in note_authors
    ]
    if not notes:
        return REFUSED
    note = pick(notes, which)
    services.change_visibility(note.reply, by=site.actor(site.now(note.ticket), who), internal=False)
    note.is_reply = True
    site.said[note.mark] = note.reply
    return Done(note.ticket, is_hidden=False)


def hide(site: Site, who: int, which: int) -> Done:
    """Make a reply internal; customer messages stay public."""
    customers = {site.people[name].pk for name in CUSTOMERS}
    replies = {
        mark: reply
        for mark, reply in site.said.items()
        if reply.author_id not in {reply.ticket.creator_id, *customers}
    }
    if not replies:
        return REFUSED
    mark = pick(list(replies), which)
    reply, ticket = site.said[mark], site.now(site.said[mark].ticket)
    services.change_visibility(reply, by=site.actor(ticket, who), internal=True)
    del site.said[mark]
    site.notes = [note for note in site.notes if note.mark != mark]
    site.notes.append(Note(mark, reply, ticket, list(reply.attachments.all()), was_reply=True))
    return Done(ticket, is_hidden=False)


def delete_ticket(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    services.delete_ticket(ticket, by=site.cast.ada if what % 2 else site.actor(ticket, who))
    for gone in site.notes:
        gone.is_gone |= gone.ticket == ticket
    site.said = {mark: reply for mark, reply in site.said.items() if reply.ticket != ticket}
    return Done(None, is_hidden=False)


def changed(site: Site, ticket: Ticket, by: User, **values: Any) -> Done:
    """Change a ticket; it is hidden if customers see no difference."""
    services.update_ticket(ticket, by=by, values=values)
    return Done(ticket, is_hidden=all(is_invisible(site, ticket, name, after) for name, after in values.items()))


def is_invisible(site: Site, ticket: Ticket, name: str, after: Any) -> bool:
    before = getattr(ticket, name)
    if name == "assigned_to":
        return site.shown(before, ticket) == site.shown(after, ticket)
    if name == "office":
        return before == after or (before.is_internal and after.is_internal)
    return bool(before == after)


def change_status(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    status = pick(list(Status.objects.all()), what)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"status": status})
    return Done(ticket, is_invisible(site, ticket, "status", status))


def change_priority(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    priority = pick(list(Priority.objects.all()), what)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"priority": priority})
    return Done(ticket, is_invisible(site, ticket, "priority", priority))


def edit_subject(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    subject = f"Question {what}"
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"subject": subject})
    return Done(ticket, is_invisible(site, ticket, "subject", subject))


def assignee(site: Site, what: int) -> User:
    return site.people[pick([name for name in PEOPLE if name not in NOTE_AUTHORS], what)]


def assign(site: Site, who: int, which: int, what: int) -> Done:
    ticket, user = site.ticket(which), assignee(site, what)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"assigned_to": user})
    return Done(ticket, is_invisible(site, ticket, "assigned_to", user))


def unassign(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"assigned_to": None})
    return Done(ticket, is_invisible(site, ticket, "assigned_to", None))


def office(site: Site, what: int) -> Office:
    return pick(list(Office.objects.order_by("-pk")), what)


def move(site: Site, who: int, which: int, what: int) -> Done:
    ticket, there = site.ticket(which), office(site, what)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"office": there})
    return Done(ticket, is_invisible(site, ticket, "office", there))


def update_ticket(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    values = {"assigned_to": assignee(site, what), "office": office(site, what // 3)}
    return changed(site, ticket, site.actor(ticket, who), **values)


def add_participant(site: Site, who: int, which: int, what: int) -> Done:
    ticket, person = site.ticket(which), site.people[pick((*CUSTOMERS, "bao", "emil"), what)]
    participants.add_participant(ticket, by=site.actor(ticket, who), person=person)
    return Done(ticket, is_hidden=False)


def add_named_participant(site: Site, who: int, which: int, what: int) -> Done:
    ticket, person = site.ticket(which), site.people[pick(tuple(reversed(CUSTOMERS)), what)]
    participants.add_named_participant(ticket, person.email, by=site.actor(ticket, who))
    return Done(ticket, is_hidden=False)


def remove_participant(site: Site, who: int, which: int, what: int) -> Done:
    rows = list(Participant.objects.order_by("pk"))
    if not rows:
        return REFUSED
    row = pick(rows, which)
    by = row.user if what % 2 else site.actor(site.now(row.ticket), who)
    participants.remove_participant(row.ticket, by=by, person=row.user)
    return Done(row.ticket, is_hidden=False)


def save_organization(site: Site, who: int, which: int, what: int) -> Done:
    """Turn the switch on or off, and add or delete the domain of all customers."""
    organization = site.organization()
    organization.members_see_tickets = bool(what % 2)
    domains = ["example.com"] if what // 2 % 2 else []
    organizations.save_organization(organization, by=administrator(site, who), domains=domains)
    return Done(None, is_hidden=False)


def delete_organization(site: Site, who: int, which: int, what: int) -> Done:
    organizations.delete_organization(site.organization(), by=administrator(site, who))
    return Done(None, is_hidden=False)


def add_member(site: Site, who: int, which: int, what: int) -> Done:
    person = site.people[pick(CUSTOMERS, what)]
    organizations.add_member(site.organization(), by=administrator(site, who), person=person)
    return Done(None, is_hidden=False)


def add_named_member(site: Site, who: int, which: int, what: int) -> Done:
    person = site.people[pick(CUSTOMERS, what)]
    organizations.add_named_member(site.organization(), person.email, by=administrator(site, who))
    return Done(None, is_hidden=False)


def remove_member(site: Site, who: int, which: int, what: int) -> Done:
    person = site.people[pick(CUSTOMERS, what)]
    organizations.remove_member(site.organization(), by=administrator(site, who), person=person)
    return Done(None, is_hidden=False)


def restore_member(site: Site, who: int, which: int, what: int) -> Done:
    person = site.people[pick(CUSTOMERS, what)]
    organizations.restore_member(site.organization(), by=administrator(site, who), person=person)
    return Done(None, is_hidden=False)


def administrator(site: Site, number: int) -> User:
    """Return the admin: every fourth time an agent, who may not."""
    return site.cast.bao if number % 4 == 3 else site.cast.ada


# -- Other actions


def add_tag(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    tags.add_tag(ticket, f"quartz{what % 2}", by=site.actor(ticket, who))
    return Done(ticket, is_hidden=True)


def remove_tag(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    tag = ticket.tags.first()
    if tag is None or not tags.remove_tag(ticket, tag, by=site.actor(ticket, who)):
        return REFUSED
    return Done(ticket, is_hidden=True)


def set_tags(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"tags": ["quartz3", "quartz4"][: what % 3]})
    return Done(ticket, is_hidden=True)


def save_tag(site: Site, who: int, which: int, what: int) -> Done:
    tags.save_tag(Tag(name=f"quartz{next(site.turn)}", color="red"), by=site.cast.ada)
    return Done(None, is_hidden=True)


def delete_tag(site: Site, who: int, which: int, what: int) -> Done:
    found = list(Tag.objects.all())
    if len(found) < 2:
        return REFUSED
    tags.delete_tag(found[0], by=site.cast.ada, into=found[1] if what % 2 else None)
    return Done(None, is_hidden=True)


def link_tickets(site: Site, who: int, which: int, what: int) -> Done:
    """Link two tickets, the first ones with each other."""
    ticket, other = site.ticket(which), site.ticket(which + 1 + what % 2)
    links.link_tickets(ticket, other, by=site.actor(ticket, who))
    return Done(ticket, is_hidden=True)


def link_named_ticket(site: Site, who: int, which: int, what: int) -> Done:
    ticket, other = site.ticket(which), site.ticket(which + 1 + what % 2)
    links.link_named_ticket(ticket, other.reference, by=site.actor(ticket, who))
    return Done(ticket, is_hidden=True)


def merge_tickets(site: Site, who: int, which: int, what: int) -> Done:
    """Merge two tickets: customers of both see it."""
    ticket, target = site.ticket(which), site.ticket(which + 1 + what % 2)
    merging.merge_tickets([ticket], target, by=site.actor(ticket, who))
    return Done(ticket, is_hidden=False)


def undo_merge(site: Site, who: int, which: int, what: int) -> Done:
    ticket = Ticket.objects.exclude(merged_into=None).order_by("pk").first()
    if ticket is None:
        return REFUSED
    merging.undo_merge(ticket, by=site.cast.ada if what % 2 else site.actor(site.now(ticket), who))
    return Done(site.now(ticket), is_hidden=False)


def split_message(site: Site, who: int, which: int, what: int) -> Done:
    """Split the first message of a ticket: its customer receives the new one."""
    ticket = site.ticket(which)
    subject = f"Question {next(site.turn)}"
    created = splitting.split_message(ticket, None, by=site.actor(ticket, who), subject=subject)
    return Done(created, is_hidden=False)


def unlink_tickets(site: Site, who: int, which: int, what: int) -> Done:
    link = TicketLink.objects.order_by("pk").first()
    if link is None:
        return REFUSED
    links.unlink_tickets(link.first, link.second, by=site.actor(site.now(link.second), who))
    return Done(site.now(link.second), is_hidden=True)


def set_snooze(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    until = timezone.now() + timedelta(days=1 + what)
    services.update_ticket(ticket, by=site.actor(ticket, who), values={"snoozed_until": until})
    return Done(ticket, is_hidden=True)


def end_due_snooze(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    Ticket.objects.filter(pk=ticket.pk).exclude(snoozed_until=None).update(snoozed_until=timezone.now())
    if not snooze.end_due_snooze(ticket, by=System(Cause.SCHEDULE)):
        return REFUSED
    return Done(ticket, is_hidden=True)


def save_macro(site: Site, who: int, which: int, what: int) -> Done:
    actions = {"add_tags": [Tag.objects.get_or_create(name="quartz")[0].pk], "snooze": "tomorrow"}
    macros.save_macro(Macro(name=site.mark("kryptonite"), actions=actions), by=administrator(site, who))
    return Done(None, is_hidden=True)


def apply_macro(site: Site, who: int, which: int, what: int) -> Done:
    macro = Macro.objects.order_by("pk").first()
    if macro is None:
        return REFUSED
    ticket = site.ticket(which)
    macros.apply_macro(macro, ticket, by=site.actor(ticket, who))
    return Done(ticket, is_hidden=True)


def upload(site: Site, who: int, which: int, what: int) -> Done:
    site.file(site.people[pick(NOTE_AUTHORS, who)], site.mark("kryptonite"), what)
    return Done(None, is_hidden=True)


def names(site: Site, who: int, which: int, what: int) -> Done:
    names = pick(["full", "first", "office"], what)
    if names != site.names:
        DeskSettings.objects.update_or_create(pk=1, defaults={"staff_names": names})
        site.invalidate_history()
    return Done(None, is_hidden=False)


def internal(site: Site, who: int, which: int, what: int) -> Done:
    chosen = pick([site.cast.billing, site.cast.orders], which)
    chosen.is_internal = not chosen.is_internal
    chosen.save()
    if chosen.is_internal:
        site.invalidate_history()
    return Done(None, is_hidden=False)


TAGGING: dict[str, Step] = {
    "add_tag": add_tag,
    "remove_tag": remove_tag,
    "set_tags": set_tags,
    "save_tag": save_tag,
    "delete_tag": delete_tag,
}
SNOOZING: dict[str, Step] = {"set_snooze": set_snooze, "end_due_snooze": end_due_snooze}
MACROS: dict[str, Step] = {"save_macro": save_macro, "apply_macro": apply_macro}
LINKING: dict[str, Step] = {
    "link_tickets": link_tickets,
    "link_named_ticket": link_named_ticket,
    "unlink_tickets": unlink_tickets,
}
MERGING: dict[str, Step] = {"merge_tickets": merge_tickets, "undo_merge": undo_merge, "split_message": split_message}
# By the names of services.py, people/participants.py, people/organizations.py, tags/services.py,
# snooze/services.py, links/services.py, macros/services.py and merging/services.py; a new service must be added here.
SERVICES: dict[str, Step] = {
    "open_ticket": open_ticket,
    "open_ticket_for": open_ticket_for,
    "add_reply": add_reply,
    "delete_reply": delete_reply,
    "change_visibility": change_visibility,
    "edit_reply": edit_reply,
    "delete_ticket": delete_ticket,
    "update_ticket": update_ticket,
    "add_participant": add_participant,
    "add_named_participant": add_named_participant,
    "remove_participant": remove_participant,
    "save_organization": save_organization,
    "delete_organization": delete_organization,
    "add_member": add_member,
    "add_named_member": add_named_member,
    "remove_member": remove_member,
    "restore_member": restore_member,
    **TAGGING,
    **SNOOZING,
    **LINKING,
    **MACROS,
    **MERGING,
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
    "edit note": edit_note,
    "noting": together.noting,
    "upload": upload,
    "draft": together.draft,
    "read note": together.read_note,
    "mention": together.mention,
    "follow": together.follow,
    "profile": together.profile,
    **TAGGING,
    **SNOOZING,
    **LINKING,
    **MACROS,
}
OTHERS: dict[str, Step] = {
    "typing": together.typing,
    "read": together.read,
    "names": names,
    "internal": internal,
    "prefer": mails.prefer,
    "send mails": mails.send,
}
# Sometimes hidden from customers.
SOMETIMES_HIDDEN = ("update_ticket", "assign", "move")
STEPS = SERVICES | UPDATES | HIDDEN | OTHERS
