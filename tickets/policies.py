"""Who sees and does what with tickets: one rule behind page, list, API, admin and socket."""

from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, F, Q, QuerySet, When

from accounts.models import Office, User
from accounts.policies import staffed_offices
from realtime import Audience
from realtime.utils.compiled_query import CompiledQuery
from tickets.models import Attachment, Reply, Ticket, TimelineEntry


def staffed_by(user: User) -> Q:
    """Return the tickets `user` is staff of: all for admins; for agents their offices' and those assigned to them."""
    if not user.is_active or user.is_customer:
        return Q(pk__in=[])
    if user.is_admin:
        return Q(pk__isnull=False)
    return Q(office__in=staffed_offices(user).values("pk")) | Q(assigned_to=user)


def visible_tickets(user: User) -> QuerySet[Ticket]:
    """Return the tickets `user` may open: his own, and those he is staff of."""
    if not user.is_active:
        return Ticket.objects.none()
    return Ticket.objects.filter(Q(creator=user) | staffed_by(user))


def listed_tickets(user: User) -> QuerySet[Ticket]:
    """Return the visible tickets, newest change first; each says whether `user` is staff of it (`is_staffed`)."""
    return _marked_tickets(user).annotate(changed=_changed(user)).order_by("-changed", "-pk")


def _marked_tickets(user: User) -> QuerySet[Ticket]:
    is_staffed = Case(When(staffed_by(user), then=True), default=False, output_field=BooleanField())
    return visible_tickets(user).annotate(is_staffed=is_staffed)


def _changed(user: User) -> F | Case:
    """When a listed ticket changed as `user` may know it; where it is one column, that column's index sorts."""
    if user.is_customer:
        return F("public_updated_at")
    if user.is_admin:
        return F("updated_at")
    return Case(When(is_staffed=True, then=F("updated_at")), default=F("public_updated_at"))


def audience_of(user: User, ticket: Ticket) -> Audience | None:
    """Return as whom `user` hears and reads `ticket`; None if not at all."""
    if is_staff_of(user, ticket):
        return Audience.STAFF
    return Audience.PUBLIC if user.is_active and ticket.creator_id == user.pk else None


def is_staff_of(user: User, ticket: Ticket) -> bool:
    """Say whether `user` works on `ticket`; an agent who merely opened it does not."""
    if not user.is_active or user.is_customer:
        return False
    return user.is_admin or ticket.assigned_to_id == user.pk or works_in(user, ticket.office_id)


def works_in(user: User, office_id: int) -> bool:
    """Say whether `user` works on the tickets of an office."""
    return staffed_offices(user).filter(pk=office_id).exists()


def authorize_ticket(user: User, ticket_uuid: UUID) -> Audience | None:
    """Allow users who may open the ticket; its staff also receive internal notes."""
    for (is_staffed,) in _marked_ticket.rows(*user.kind, user_id=user.pk, ticket_uuid=ticket_uuid):
        return Audience.STAFF if is_staffed else Audience.PUBLIC
    return None


@CompiledQuery
def _marked_ticket(*kind: Any, user_id: UUID, ticket_uuid: UUID) -> QuerySet[Ticket, Any]:
    marked = _marked_tickets(User.of_kind(*kind, pk=user_id)).filter(uuid=ticket_uuid)
    return marked.order_by().values_list("is_staffed")  # type: ignore[misc]


def authorize_tickets(user: User, channels: list[dict[str, UUID]]) -> list[Audience | None]:
    """Do what `authorize_ticket` does for several tickets, given as {"ticket_uuid": ...}, with one query."""
    uuids = [channel["ticket_uuid"] for channel in channels]
    found = _marked_tickets(user).filter(uuid__in=uuids).order_by()
    staffed = dict(found.values_list("uuid", "is_staffed"))  # type: ignore[misc]
    as_whom = {True: Audience.STAFF, False: Audience.PUBLIC, None: None}
    return [as_whom[staffed.get(uuid)] for uuid in uuids]


def authorize_ticket_staff(user: User, ticket_uuid: UUID) -> Audience | None:
    """Allow staff of the ticket only: its customer does not see who is viewing or writing."""
    audience = authorize_ticket(user, ticket_uuid)
    return audience if audience is Audience.STAFF else None


def visible_replies(user: User, ticket: Ticket) -> QuerySet[Reply]:
    """Return the turns of the conversation that `user` may read; notes for staff of the ticket alone."""
    audience = audience_of(user, ticket)
    if audience is None:
        return Reply.objects.none()
    replies = ticket.replies.select_related("author", "ticket__office").prefetch_related("attachments")
    return replies if audience is Audience.STAFF else replies.filter(is_internal=False)


def searchable_replies(user: User) -> list[QuerySet[Reply]]:
    """Return what `user` may read of all conversations: public turns, and apart from them the notes."""
    public = Reply.objects.filter(is_internal=False, ticket__in=visible_tickets(user).values("pk"))
    # For customers this asks nothing of the database: they are staff of no ticket.
    staffed = Ticket.objects.filter(staffed_by(user)).values("pk")
    return [public, Reply.objects.filter(is_internal=True, ticket__in=staffed)]


def visible_timeline(user: User, ticket: Ticket) -> QuerySet[TimelineEntry]:
    """Return the lines of the timeline that `user` may read."""
    audience = audience_of(user, ticket)
    if audience is None:
        return TimelineEntry.objects.none()
    lines = ticket.timeline.select_related("actor", "from_user", "to_user")
    return lines if audience is Audience.STAFF else lines.filter(audience=Audience.PUBLIC)


def visible_activity(user: User) -> QuerySet[TimelineEntry]:
    """Return the lines of all timelines that `user` may read, newest first; each says as whom (`is_staffed`)."""
    staffed = Q(ticket__in=Ticket.objects.filter(staffed_by(user)).values("pk"))
    public = Q(audience=Audience.PUBLIC, ticket__in=visible_tickets(user).values("pk"))
    is_staffed = Case(When(staffed, then=True), default=False, output_field=BooleanField())
    lines = TimelineEntry.objects.filter(staffed | public).annotate(is_staffed=is_staffed)
    return lines.select_related("actor", "from_user", "to_user", "ticket__office").order_by("-pk")


def visible_attachments(user: User) -> QuerySet[Attachment]:
    """Return the files that `user` may open: what he may read has them, or he is about to send them."""
    staffed = Ticket.objects.filter(staffed_by(user)).values("pk")
    public = Q(ticket__in=visible_tickets(user).values("pk")) & (Q(reply=None) | Q(reply__is_internal=False))
    return Attachment.objects.filter(public | Q(ticket__in=staffed) | Q(ticket=None, uploader=user))


def can_open_ticket(user: User, office: Office) -> bool:
    """Anybody may ask an office that customers see; staff may ask any."""
    return user.is_active and not (user.is_customer and office.is_internal)


def can_reply(user: User, ticket: Ticket) -> bool:
    """Whoever may read the conversation may take part in it."""
    return audience_of(user, ticket) is not None


def can_write_note(user: User, ticket: Ticket) -> bool:
    """Only staff of the ticket write what only staff read."""
    return is_staff_of(user, ticket)


def can_change(user: User, ticket: Ticket) -> bool:
    """Only staff of the ticket change its status, priority, assignee, office and subject."""
    return is_staff_of(user, ticket)


def deletable_replies(user: User, ticket: Ticket) -> QuerySet[Reply]:
    """Return the messages of `ticket` that `user` may delete: see `can_delete_reply`."""
    if not is_staff_of(user, ticket):
        return Reply.objects.none()
    return ticket.replies.all() if user.is_admin else ticket.replies.filter(author=user)


def can_delete_reply(user: User, reply: Reply) -> bool:
    """Admins, and its author while he is staff of the ticket: customers cannot take back what was said."""
    return is_staff_of(user, reply.ticket) and (user.is_admin or reply.author_id == user.pk)


def can_change_visibility(user: User, reply: Reply, *, internal: bool) -> bool:
    """Staff of the ticket make any note public, also a colleague's, and any reply internal but its customer's own.

    Whoever opened the ticket is its customer, also an agent: what he wrote would vanish before his eyes.
    """
    return is_staff_of(user, reply.ticket) and (not internal or reply.is_internal or reply.can_be_hidden)


def can_delete_ticket(user: User, ticket: Ticket) -> bool:
    """Only admins; everybody else closes."""
    return user.is_active and user.is_admin


def can_discard(user: User, attachment: Attachment) -> bool:
    """Who uploaded a file may forget it, as long as it was not sent."""
    return user.is_active and attachment.ticket_id is None and attachment.uploader_id == user.pk


def can_be_assigned(user: User) -> bool:
    """A ticket is assigned to an active agent or admin, of its office or from elsewhere."""
    return user.is_active and not user.is_customer


def assignable_users() -> QuerySet[User]:
    """Return whom a ticket may be assigned to."""
    return User.objects.filter(is_active=True).exclude(role=User.Role.CUSTOMER)
