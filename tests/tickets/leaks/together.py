"""The steps of the leak hunt that people take beside their messages: presence, drafts, reading, mentions, following.

Each names who must receive what, as a positive control of the silence around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from accounts.models import User
from tests.tickets.leaks.site import NOTE_AUTHORS, OBSERVERS, PEOPLE, Site, pick
from tickets import drafts, policies, reading
from tickets.models import ReadMark, Ticket
from tickets.notifications import records, subscriptions


@dataclass(frozen=True)
class Done:
    """The ticket of a step, whether customers must not notice it, and the client event that it sends."""

    ticket: Ticket | None
    is_hidden: bool
    whisper: tuple[str, str, str] | None = None
    # The names of those who must receive an event, by its name.
    reaches: dict[str, list[str]] = field(default_factory=dict)


REFUSED = Done(None, is_hidden=True)


def typing(site: Site, who: int, which: int, what: int) -> Done:
    """Announce a public message in the making: to everyone who may read the ticket."""
    ticket = site.ticket(which)
    name = pick([*OBSERVERS, "dana", "emil"], who)
    readers = [each for each in site.people if site.is_staff(each, ticket) or site.asks(each, ticket)]
    reaches = {} if hides_online(site, name) or name not in readers else {"client-typing": without(readers, name)}
    return Done(ticket, is_hidden=False, whisper=(name, "client-typing", ticket.channel), reaches=reaches)


def noting(site: Site, who: int, which: int, what: int) -> Done:
    """Announce to colleagues what one does on a ticket; their lists receive a copy."""
    ticket = site.ticket(which)
    event = pick(["client-noting", "client-viewing", "client-replying", "client-leaving"], what)
    name = pick(site.staff(ticket), who)
    colleagues = without(site.staff(ticket), name)
    of_office = [each for each in colleagues if each == "ada" or each in site.offices[ticket.office_id]]
    reaches = {} if hides_online(site, name) else {event: colleagues, "ticket.activity": of_office}
    return Done(ticket, is_hidden=True, whisper=(name, event, ticket.presence_channel), reaches=reaches)


def draft(site: Site, who: int, which: int, what: int) -> Done:
    ticket = site.ticket(which)
    name = pick([name for name in site.staff(ticket) if name not in OBSERVERS], who)
    content = drafts.Content(site.write_draft(name, ticket), is_internal=bool(what % 2))
    base = drafts.draft_of(site.people[name], ticket).version
    drafts.save_draft(content, by=site.people[name], ticket=ticket, base=base)
    return Done(ticket, is_hidden=True, reaches={"draft.saved": [name]})


def read(site: Site, who: int, which: int, what: int) -> Done:
    """Read a ticket to its end. Its customers may notice that support has seen their messages."""
    ticket = site.ticket(which)
    name = pick(site.staff(ticket), who)
    read_to_the_end(ticket, site.people[name])
    return Done(ticket, is_hidden=False)


def read_note(site: Site, who: int, which: int, what: int) -> Done:
    """Read a note, by staff who have read all that customers have written before it: no customer may notice."""
    notes = [note for note in site.notes if not (note.is_gone or note.is_reply)]
    for note in notes[::-1]:
        ticket = site.now(note.ticket)
        for name in site.staff(ticket):
            if has_only_notes_unread(ticket, site.people[name]):
                read_to_the_end(ticket, site.people[name])
                seen = [] if hides(site, name, "hides_read_marks") else without(site.staff(ticket), name)
                reaches = {"ticket.read": [name], "ticket.receipts.updated": seen}
                return Done(ticket, is_hidden=True, reaches=reaches)
    return REFUSED


def mention(site: Site, who: int, which: int, what: int) -> Done:
    """Mention everyone in a note: staff of the ticket are notified, the others are plain words in it."""
    ticket = site.ticket(which)
    by = site.writer(ticket, who)
    note = site.write_note(ticket, by, mentioned=[user for user in site.people.values() if user != by])
    notified = [name for name in site.staff(ticket) if site.people[name] != by]
    site.mentions += [(name, note) for name in notified]
    return Done(ticket, is_hidden=True, reaches={"ticket.notified": notified})


def follow(site: Site, who: int, which: int, what: int) -> Done:
    """Follow a ticket, or read one's notifications."""
    ticket = site.ticket(which)
    names = [name for name in site.staff(ticket) if name not in OBSERVERS]
    name = pick(names, who)
    subscriptions.set_level(ticket, by=site.people[name], level=subscriptions.Level.FOLLOWED)
    reaches = {"ticket.subscribed": [name]}
    if what % 2 and records.mark_read(site.people[name]):
        reaches["notifications.read"] = [name]
    return Done(ticket, is_hidden=True, reaches=reaches)


def profile(site: Site, who: int, which: int, what: int) -> Done:
    others = [name for name in PEOPLE if name in ("ada", "bao", "dana", "emil", "fatima", *NOTE_AUTHORS)]
    user = User.objects.get(pk=site.people[pick(others, who)].pk)
    user.hides_online, user.hides_read_marks = bool(what % 2), bool(what // 2 % 2)
    user.save()
    return Done(None, is_hidden=True)


def read_to_the_end(ticket: Ticket, user: User) -> None:
    last = policies.visible_replies(user, ticket).order_by("-number").first()
    reading.mark_read(ticket, by=user, up_to=last)


def has_only_notes_unread(ticket: Ticket, user: User) -> bool:
    """Return whether a person has seen every public message of a ticket, and not yet its last note."""
    mark = ReadMark.objects.filter(user=user, ticket=ticket).first()
    seen = -1 if mark is None else mark.seen_number
    replies = ticket.replies.exclude(author=user)
    public = ticket.replies.filter(is_internal=False, number__gt=seen)
    return seen >= 0 and not public.exists() and replies.filter(number__gt=seen).exists()


def hides_online(site: Site, name: str) -> bool:
    return hides(site, name, "hides_online")


def hides(site: Site, name: str, what: str) -> bool:
    return bool(getattr(User.objects.get(pk=site.people[name].pk), what))


def without(names: Iterable[str], name: str) -> list[str]:
    return [each for each in names if each != name]
