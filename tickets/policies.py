"""Permissions of tickets, shared by pages, lists, API, admin and sockets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.models import Office, User
from accounts.policies import staffed_offices, works_in
from realtime import Audience
from realtime.channels import Parts
from realtime.utils.compiled_query import CompiledQuery
from tickets.actors import Actor, Cause, Source, System
from tickets.models import (
    STAFF_KINDS,
    Attachment,
    CustomerNote,
    Macro,
    Notification,
    OrganizationMember,
    Participant,
    Reply,
    ReplyRevision,
    SavedReply,
    SavedView,
    SearchText,
    Ticket,
    TicketLink,
    TicketSplit,
    TimelineEntry,
    participants_of,
)

# The services that the system may call without a user, by what caused it.
SYSTEM_PERMISSIONS = {Cause.MAIL: frozenset({"open_ticket"}), Cause.SCHEDULE: frozenset({"end_snooze"})}

MAX_MERGES_FOLLOWED = 20  # from one ticket to the next
_TICKETS_MESSAGE = tuple(f"ticket__{field}" for field in Ticket.MESSAGE_FIELDS)


def staffed_by(user: User, of: str = "") -> Q:
    """Return the tickets `user` is staff of: all for admins, for agents those assigned to them or their offices.

    `of` is the way from other rows to their ticket, such as `ticket__`.
    """
    if not user.is_active or user.is_customer:
        return Q(pk__in=[])
    if user.is_admin:
        return Q(pk__isnull=False)
    return Q(**{f"{of}office__in": staffed_offices(user).values("pk")}) | Q(**{f"{of}assigned_to": user})


def asked_by(user: User, of: str = "") -> Q:
    """Return the tickets whose public conversation `user` reads: their own, and those they take part in.

    For customers also those of the members of their organization, if it shows them. One subquery: PostgreSQL uses the
    indexes of creators and participants only if the two are not alternatives.
    """
    own = Ticket.objects.filter(creator=user).order_by().values("pk")
    joined = Participant.objects.filter(user=user).select_related(None).order_by().values("ticket")
    if not user.is_customer:
        return Q(**{f"{of}pk__in": own.union(joined, all=True)})
    shared = Ticket.objects.filter(creator__in=_colleagues(user).values("user")).order_by().values("pk")
    return Q(**{f"{of}pk__in": own.union(joined, shared, all=True)})


def _colleagues(user: User) -> QuerySet[OrganizationMember]:
    """Return the members of the organization of `user`, if it lets them see each other's tickets."""
    mine = OrganizationMember.objects.filter(user=user, organization__members_see_tickets=True).order_by()
    customers = OrganizationMember.objects.filter(user__role=User.Role.CUSTOMER).order_by()
    return customers.filter(organization__in=mine.values("organization"))


def visible_tickets(user: User) -> QuerySet[Ticket]:
    """Return the tickets `user` may open: those they asked or take part in, and those they are staff of."""
    if not user.is_active:
        return Ticket.objects.none()
    return Ticket.objects.all() if user.is_admin else Ticket.objects.filter(asked_by(user) | staffed_by(user))


def listed_tickets(user: User) -> QuerySet[Ticket]:
    """Return the visible tickets, latest change first, annotated with `is_staffed`: whether `user` is staff of it."""
    tickets = _marked_tickets(user).annotate(changed=_changed(user)).order_by("-changed", "-pk")
    return tickets.defer(*Ticket.MESSAGE_FIELDS)


def _marked_tickets(user: User) -> QuerySet[Ticket]:
    is_staffed = Case(When(staffed_by(user), then=True), default=False, output_field=BooleanField())
    return visible_tickets(user).annotate(is_staffed=is_staffed)


def _changed(user: User) -> F | Case:
    """Return the last change that `user` may see; a plain column where possible, since it has an index."""
    if user.is_customer:
        return F("public_updated_at")
    if user.is_admin:
        return F("updated_at")
    return Case(When(is_staffed=True, then=F("updated_at")), default=F("public_updated_at"))


def audience_of(user: User, ticket: Ticket) -> Audience | None:
    """Return the audience of `user` for `ticket`; None if they may not read it."""
    if is_staff_of(user, ticket):
        return Audience.STAFF
    return Audience.PUBLIC if user.is_active and is_customer_of(user, ticket) else None


def is_customer_of(user: User, ticket: Ticket) -> bool:
    """Return whether `user` reads the public conversation of `ticket`, as `asked_by` does for many."""
    if takes_part(user, ticket):
        return True
    return user.is_customer and _colleagues(user).filter(user=ticket.creator_id).exists()


def takes_part(user: User, ticket: Ticket) -> bool:
    """Return whether `user` is the creator or a participant of `ticket`."""
    if ticket.creator_id == user.pk:
        return True
    return any(participant.user_id == user.pk for participant in participants_of(ticket))


def people_of(ticket: Ticket) -> list[User]:
    """Return the people on whose own channels the ticket's events go: creator, assignee and participants.

    Which version each of them may read, if any, says `audience_of`.
    """
    named = (ticket.creator, ticket.assigned_to, *(participant.user for participant in participants_of(ticket)))
    return list({user.pk: user for user in named if user is not None}.values())


def is_staff_of(user: User, ticket: Ticket) -> bool:
    """Return whether `user` is staff of `ticket`. An agent who merely opened it is not."""
    if not user.is_active or user.is_customer:
        return False
    return user.is_admin or ticket.assigned_to_id == user.pk or works_in(user, ticket.office_id)


def staff_of(ticket: Ticket) -> QuerySet[User]:
    """Return the users who are staff of `ticket`: see `is_staff_of`."""
    works = Q(role=User.Role.ADMIN) | Q(pk=ticket.assigned_to_id) | Q(pk__in=agents_of(ticket.office_id).values("pk"))
    return User.objects.filter(works, is_active=True).exclude(role=User.Role.CUSTOMER)


def agents_of(office_id: int) -> QuerySet[User]:
    """Return the people of an office: not the admins, who work in all of them."""
    return User.objects.filter(offices=office_id)


def authorize_ticket(user: User, channels: Sequence[Parts]) -> list[Audience | None]:
    """Allow users who may open the ticket; its staff also receive internal notes."""
    uuids = [parts["ticket_uuid"] for parts in channels]
    rows = _marked_by_uuid.rows(*user.kind, user_id=user.pk, uuids=uuids)
    audiences = {uuid: Audience.STAFF if is_staffed else Audience.PUBLIC for uuid, is_staffed in rows}
    return [audiences.get(uuid) for uuid in uuids]


@CompiledQuery
def _marked_by_uuid(*kind: Any, user_id: UUID, uuids: list[UUID]) -> QuerySet[Ticket, Any]:
    marked = _marked_tickets(User.of_kind(*kind, pk=user_id)).filter(uuid__in=uuids)
    return marked.order_by().values_list("uuid", "is_staffed")  # type: ignore[misc]


def authorize_ticket_staff(user: User, channels: Sequence[Parts]) -> list[Audience | None]:
    """Allow staff of the ticket only: its customer does not see who is viewing or writing."""
    return [each if each is Audience.STAFF else None for each in authorize_ticket(user, channels)]


def shown_with(user: User) -> tuple[str, ...]:
    """Return the relations to prefetch for the payloads of many tickets: customers see no tags."""
    return ("participants",) if user.is_customer else ("participants", "tags")


def visible_replies(user: User, ticket: Ticket) -> QuerySet[Reply]:
    """Return the replies that `user` may read; internal notes for staff of the ticket only."""
    audience = audience_of(user, ticket)
    if audience is None:
        return Reply.objects.none()
    replies = ticket.replies.select_related("author", "ticket__office").prefetch_related("attachments", "mentions")
    replies = replies.defer(*_TICKETS_MESSAGE)
    return replies if audience is Audience.STAFF else replies.filter(is_internal=False)


def latest_replies(tickets: Sequence[Any]) -> QuerySet[Reply]:
    """Return the latest message that the reader of each ticket may see; `tickets` are rows of `listed_tickets`."""
    staffed = [ticket.pk for ticket in tickets if ticket.is_staffed]
    others = [ticket.pk for ticket in tickets if not ticket.is_staffed]
    latest = Q(ticket__in=staffed, number=F("ticket__last_number"))
    public = Q(ticket__in=others, number=F("ticket__last_public_number"), is_internal=False)
    return Reply.objects.filter(latest | public)


def searchable_texts(user: User, keys: Sequence[int] | None = None) -> list[QuerySet[SearchText]]:
    """Return the texts of the public messages and, separately, of the notes that `user` may read.

    In all tickets, or in those with these keys.
    """
    named, of_named = (Q(), Q()) if keys is None else (Q(pk__in=keys), Q(ticket__in=keys))
    public = SearchText.objects.filter(of_named, is_internal=False)
    notes = SearchText.objects.filter(of_named, is_internal=True)
    if user.is_active and user.is_admin:  # staff of all tickets: no subquery has to say so
        return [public, notes]
    # For customers this is empty and costs no query: they are staff of no ticket.
    staffed = Ticket.objects.filter(staffed_by(user) & named).values("pk")
    visible = visible_tickets(user).filter(named).values("pk")
    return [public.filter(ticket__in=visible), notes.filter(ticket__in=staffed)]


def visible_timeline(user: User, ticket: Ticket) -> QuerySet[TimelineEntry]:
    """Return the timeline entries that `user` may read."""
    audience = audience_of(user, ticket)
    if audience is None:
        return TimelineEntry.objects.none()
    entries = ticket.timeline.select_related("actor", "from_user", "to_user")
    return entries if audience is Audience.STAFF else entries.filter(audience=Audience.PUBLIC)


def visible_activity(user: User) -> QuerySet[TimelineEntry]:
    """Return the entries of all timelines that `user` may read, latest first, annotated with `is_staffed`."""
    entries = TimelineEntry.objects.select_related("actor", "from_user", "to_user", "ticket__office")
    entries = entries.order_by("-pk").defer(*_TICKETS_MESSAGE)
    if user.is_active and user.is_admin:  # staff of all tickets: no subquery has to say so
        return entries.annotate(is_staffed=Value(True))
    if not user.is_active:
        return entries.none()
    # Of the ticket of each entry: PostgreSQL would hash all tickets of the user's offices for the latest entries.
    staffed = staffed_by(user, "ticket__")
    public = Q(audience=Audience.PUBLIC) & (asked_by(user, "ticket__") | staffed)
    is_staffed = Case(When(staffed, then=True), default=False, output_field=BooleanField())
    return entries.filter(staffed | public).annotate(is_staffed=is_staffed)


def visible_notifications(user: User) -> QuerySet[Notification]:
    """Return the notifications of `user` that say only what they may read now."""
    own = Notification.objects.filter(user=user).order_by()
    if user.is_active and user.is_admin:  # staff of all tickets
        return own
    # Of the tickets of these notifications: PostgreSQL would hash all tickets of the user's offices for each page.
    named = Q(pk__in=own.values("ticket"))
    staffed = Q(ticket__in=Ticket.objects.filter(staffed_by(user) & named).values("pk"))
    public = Q(ticket__in=visible_tickets(user).filter(named).values("pk")) & ~Q(kind__in=STAFF_KINDS)
    return own.filter(staffed | public & (Q(reply=None) | Q(reply__is_internal=False)))


def visible_attachments(user: User) -> QuerySet[Attachment]:
    """Return the files of messages that `user` may read, and their own unsent uploads."""
    staffed = Ticket.objects.filter(staffed_by(user)).values("pk")
    public = Q(ticket__in=visible_tickets(user).values("pk")) & (Q(reply=None) | Q(reply__is_internal=False))
    return Attachment.objects.filter(public | Q(ticket__in=staffed) | Q(ticket=None, uploader=user))


def can_open_ticket(user: User, office: Office) -> bool:
    """Allow customers the public offices, and staff all offices."""
    return user.is_active and not (user.is_customer and office.is_internal)


def can_open_ticket_for(actor: Actor, customer: User, office: Office) -> bool:
    """Allow staff of the office, and the system, to open a ticket of an active person."""
    if isinstance(actor, System):
        return customer.is_active and _system_may(actor, "open_ticket")
    return actor.is_active and customer.is_active and works_in(actor, office.pk)


def _system_may(system: System, service: str) -> bool:
    return service in SYSTEM_PERMISSIONS[system.cause]


def can_reply(user: User, ticket: Ticket) -> bool:
    """Allow users who may read the conversation."""
    return audience_of(user, ticket) is not None


def reply_reopens(reply: Reply) -> bool:
    """Return whether a message ends its ticket's status: a reply of the creator, even if they are staff of it.

    Or of a participant who is not.
    """
    return reply.ticket.status.ends_with_reply and is_from_customer(reply)


def is_from_customer(reply: Reply) -> bool:
    """Return whether a message is public and its author the creator, or not staff of the ticket."""
    if reply.is_internal:
        return False
    return reply.author_id == reply.ticket.creator_id or not is_staff_of(reply.author, reply.ticket)


def can_write_note(user: User, ticket: Ticket) -> bool:
    """Allow staff of the ticket."""
    return is_staff_of(user, ticket)


def can_change(actor: Actor, ticket: Ticket) -> bool:
    """Allow staff of the ticket to change status, priority, assignee, office and subject."""
    if isinstance(actor, System):
        return _system_may(actor, "update_ticket")
    return is_staff_of(actor, ticket)


def can_end_snooze(actor: Actor) -> bool:
    """Allow the system to bring a ticket back at its time; staff change it as other properties: see `can_change`."""
    return isinstance(actor, System) and _system_may(actor, "end_snooze")


def linked_tickets(user: User, ticket: Ticket) -> QuerySet[Ticket]:
    """Return the related tickets of `ticket` that `user` sees: see `can_link`."""
    if not is_staff_of(user, ticket):
        return Ticket.objects.none()
    later = TicketLink.objects.filter(first=ticket).values("second")
    earlier = TicketLink.objects.filter(second=ticket).values("first")
    related = Ticket.objects.filter(staffed_by(user), pk__in=later.union(earlier, all=True))
    return related.select_related("status").defer(*Ticket.MESSAGE_FIELDS).order_by("-pk")


def can_link(user: User, ticket: Ticket, other: Ticket) -> bool:
    """Allow staff of both tickets, who alone see that they are linked."""
    return is_staff_of(user, ticket) and is_staff_of(user, other)


def can_merge(user: User, ticket: Ticket, target: Ticket) -> bool:
    """Allow staff of both tickets to merge one into the other, and to undo that."""
    return is_staff_of(user, ticket) and is_staff_of(user, target)


def target_of_merge(user: User, ticket: Ticket) -> Ticket | None:
    """Return the ticket that `ticket` was merged into, if `user` may open it; for others there is none."""
    key = ticket.merged_into_id
    if key is None or audience_of(user, ticket) is None:
        return None
    visible = visible_tickets(user).select_related(*Ticket.RELATED).defer(*Ticket.MESSAGE_FIELDS)
    return visible.filter(pk=key).first()


def merged_tickets(user: User, ticket: Ticket) -> list[Ticket]:
    """Return the tickets that were merged into `ticket`, or into one of these, as far as `user` may open them."""
    visible = visible_tickets(user).select_related(*Ticket.RELATED, "merged_by").defer(*Ticket.MESSAGE_FIELDS)
    found: dict[int, Ticket] = {}
    rows = list(visible.filter(merged_into__in=visible_tickets(user).filter(pk=ticket.pk).values("pk")))
    while rows:
        found |= {row.pk: row for row in rows}
        rows = list(visible.filter(merged_into__in=[row.pk for row in rows]).exclude(pk__in=found))
    return sorted(found.values(), key=lambda each: (each.merged_at, each.pk))


def ends_merge(user: User, ticket: Ticket) -> bool:
    """Return whether a message of `user` to a merged ticket ends the merge: they may not open the other one.

    Staff of the ticket can see that it was merged, and are refused instead.
    """
    return not is_staff_of(user, ticket) and target_of_merge(user, ticket) is None


def ticket_of_answer(user: User, ticket: Ticket) -> Ticket:
    """Return the ticket that a mail of `user` to `ticket` becomes a message of: the one it was merged into.

    But only if `user` may open that one, and all of its readers may read `ticket`.
    """
    following = ticket
    for _step in range(MAX_MERGES_FOLLOWED):
        target = target_of_merge(user, following)
        if target is None or not _is_read_by_no_others(target, ticket):
            break
        following = target
    return following


def _is_read_by_no_others(target: Ticket, ticket: Ticket) -> bool:
    """Return whether all who read `target` may read `ticket` too: its customers and its staff."""
    if (target.creator_id, target.office_id) != (ticket.creator_id, ticket.office_id):
        return False
    assignee = target.assigned_to
    if assignee is not None and not is_staff_of(assignee, ticket):
        return False
    return all(audience_of(each.user, ticket) is not None for each in participants_of(target))


def can_split(user: User, ticket: Ticket, office: Office) -> bool:
    """Allow staff of the ticket to open a ticket from one of its messages in an office that they work in."""
    return is_staff_of(user, ticket) and works_in(user, office.pk)


def visible_splits(user: User, ticket: Ticket) -> QuerySet[TicketSplit]:
    """Return the messages of `ticket` that were split into tickets which `user` may open; of notes for staff only."""
    staffed = Ticket.objects.filter(staffed_by(user), pk=ticket.pk).values("pk")
    readable = Q(reply=None) | Q(reply__is_internal=False) | Q(ticket__in=staffed)
    splits = TicketSplit.objects.filter(readable, ticket=ticket, created__in=visible_tickets(user).values("pk"))
    return splits.select_related("created").order_by("pk")


def can_add_participant(user: User, ticket: Ticket, source: Source = Source.PAGE) -> bool:
    """Allow staff of the ticket, and its creator by a copy (Cc) of their mail only."""
    by_copy = source == Source.MAIL and user.is_active and ticket.creator_id == user.pk
    return by_copy or is_staff_of(user, ticket)


def can_remove_participant(user: User, ticket: Ticket, person: User) -> bool:
    """Allow staff of the ticket, and the participants themselves."""
    return user.is_active and (user.pk == person.pk or is_staff_of(user, ticket))


def visible_customers(user: User) -> QuerySet[User]:
    """Return the customers that `user` sees the card and the notes of: those of tickets they are staff of."""
    customers = User.objects.filter(role=User.Role.CUSTOMER, erased_at=None)
    staffed = Ticket.objects.filter(staffed_by(user))
    joined = Participant.objects.filter(ticket__in=staffed.values("pk")).select_related(None).order_by()
    return customers.filter(Q(pk__in=staffed.order_by().values("creator")) | Q(pk__in=joined.values("user")))


def authorize_customer(user: User, channels: Sequence[Parts]) -> list[Audience | None]:
    """Allow staff of a ticket of the customer, who read the notes about them."""
    keys = [parts["person_id"] for parts in channels]
    if not user.is_active or user.is_customer:
        return [None] * len(keys)
    visible = set(_visible_by_key.rows(*user.kind, user_id=user.pk, keys=keys))
    return [Audience.STAFF if (key,) in visible else None for key in keys]


@CompiledQuery
def _visible_by_key(*kind: Any, user_id: UUID, keys: list[UUID]) -> QuerySet[User, Any]:
    return visible_customers(User.of_kind(*kind, pk=user_id)).filter(pk__in=keys).values_list("pk")


def can_delete_customer_note(user: User, note: CustomerNote) -> bool:
    """Allow the author and admins, while they may see the customer."""
    return user.is_active and not user.is_customer and (user.is_admin or note.author_id == user.pk)


def can_edit_reply(user: User, reply: Reply) -> bool:
    """Allow the author for REPLY_EDIT_MINUTES, while they may still write such a message in the ticket."""
    until = reply.editable_until
    if reply.author_id != user.pk or until is None or timezone.now() >= until:
        return False
    return can_write_note(user, reply.ticket) if reply.is_internal else can_reply(user, reply.ticket)


def visible_revisions(user: User, reply: Reply) -> QuerySet[ReplyRevision]:
    """Return the earlier texts of a message, for staff of the ticket."""
    return reply.revisions.all() if is_staff_of(user, reply.ticket) else ReplyRevision.objects.none()


def deletable_replies(user: User, ticket: Ticket) -> QuerySet[Reply]:
    """Return the messages of `ticket` that `user` may delete: see `can_delete_reply`."""
    if not is_staff_of(user, ticket):
        return Reply.objects.none()
    return ticket.replies.all() if user.is_admin else ticket.replies.filter(author=user)


def can_delete_reply(user: User, reply: Reply) -> bool:
    """Allow admins, and the author while they are staff of the ticket. Customers cannot delete messages."""
    return is_staff_of(user, reply.ticket) and (user.is_admin or reply.author_id == user.pk)


def can_change_visibility(user: User, reply: Reply, *, internal: bool) -> bool:
    """Allow staff of the ticket to publish any note, and to hide any reply except those of its customers.

    The customers are the user who opened the ticket, even if they are an agent, and everyone in that role.
    """
    return is_staff_of(user, reply.ticket) and (not internal or reply.is_internal or reply.can_be_hidden)


def can_delete_ticket(user: User, ticket: Ticket) -> bool:
    """Allow admins."""
    return user.is_active and user.is_admin


def can_configure(user: User) -> bool:
    """Allow admins to change statuses and priorities."""
    return user.is_active and user.is_admin


def can_manage_organizations(user: User) -> bool:
    """Allow admins to see and change organizations, their domains and their members."""
    return user.is_active and user.is_admin


def usable_saved_replies(user: User) -> QuerySet[SavedReply]:
    """Return the saved replies that `user` may insert: their own, those of their offices, and those for all staff."""
    return SavedReply.objects.filter(_for_reader(user))


def _for_reader(user: User) -> Q:
    """Match what is for `user`, for one of their offices, or for all staff."""
    if not user.is_active or user.is_customer:
        return Q(pk__in=[])
    shared = Q(owner=None) & (Q(office=None) | Q(office__in=staffed_offices(user).values("pk")))
    return Q(owner=user) | shared


def usable_macros(user: User) -> QuerySet[Macro]:
    """Return the macros that `user` may apply, as `usable_saved_replies` does."""
    return Macro.objects.filter(_for_reader(user))


def can_edit_saved(user: User, saved: SavedReply | Macro) -> bool:
    """Allow the owner; for an office its agents; for all staff only admins, who may also edit those of offices."""
    if not user.is_active or user.is_customer:
        return False
    if saved.owner_id is not None:
        return saved.owner_id == user.pk
    return user.is_admin or (saved.office_id is not None and works_in(user, saved.office_id))


def usable_views(user: User) -> QuerySet[SavedView]:
    """Return the saved views that `user` may open: their own, those of their offices, and those for all staff.

    Each shows only tickets that they may see.
    """
    return SavedView.objects.filter(_for_reader(user))


def can_edit_view(user: User, view: SavedView) -> bool:
    """Allow the owner; for an office and for all staff only admins, since a change moves everyone's work."""
    if not user.is_active or user.is_customer:
        return False
    return view.owner_id == user.pk if view.owner_id is not None else user.is_admin


def can_discard(user: User, attachment: Attachment) -> bool:
    """Allow the uploader, until the file is sent."""
    return user.is_active and attachment.ticket_id is None and attachment.uploader_id == user.pk


def can_be_assigned(user: User) -> bool:
    """Allow active agents and admins, of any office."""
    return user.is_active and not user.is_customer


def assignable_users() -> QuerySet[User]:
    """Return the active agents and admins."""
    return User.objects.filter(is_active=True).exclude(role=User.Role.CUSTOMER)
