"""Put tags on tickets; rename, merge and delete tags."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text.choices import is_named
from realtime import Audience
from tickets import policies, signals
from tickets.actors import Actor
from tickets.configuration import saved_views
from tickets.locking import lock, require, save_with_sequence
from tickets.macros import replacing
from tickets.merging.state import require_not_merged
from tickets.models import Tag, TagColor, Ticket, tags_of
from tickets.signals import Change

MAX_TAGS = 20  # of a ticket


@transaction.atomic
def add_tag(ticket: Ticket, name: str, *, by: Actor) -> Tag:
    """Put the tag of this name, in any case, on `ticket`; an unknown one is new.

    Raises PermissionDenied, ValidationError.
    """
    ticket = lock(ticket)
    _require_may_change(by, ticket)
    require_not_merged(ticket)
    tag = _named_tag(name)
    if tag not in tags_of(ticket):
        _put(ticket, tag, by)
    return tag


@transaction.atomic
def remove_tag(ticket: Ticket, tag: Tag, *, by: Actor) -> bool:
    """Take a tag off `ticket`; return whether it had it. Raises PermissionDenied."""
    ticket = lock(ticket)
    _require_may_change(by, ticket)
    require_not_merged(ticket)
    if tag not in tags_of(ticket):
        return False
    _take_off(ticket, tag, by)
    return True


def set_tags(ticket: Ticket, names: Iterable[str], *, by: Actor) -> None:
    """Give a locked ticket, which `by` may change, the tags of these names and no others. Raises ValidationError."""
    present, wanted = tags_of(ticket), list(dict.fromkeys(_named_tag(name) for name in names))
    for tag in present:
        if tag not in wanted:
            _take_off(ticket, tag, by)
    for tag in wanted:
        if tag not in present:
            _put(ticket, tag, by)


@transaction.atomic
def save_tag(tag: Tag, *, by: User) -> None:
    """Save a new or changed tag. Raises PermissionDenied, ValidationError."""
    _require_admin(by)
    tag.full_clean()
    is_new = tag.pk is None
    tag.save()
    if not is_new:
        signals.tag_changed.send(Tag, tag=tag, replacement=tag)


@transaction.atomic
def delete_tag(tag: Tag, *, by: User, into: Tag | None = None) -> None:
    """Delete a tag; its tickets get the tag `into` instead, if one is given.

    It writes no timelines: a tag may be on all tickets. Raises PermissionDenied, ValidationError.
    """
    _require_admin(by)
    if into == tag:
        raise ValidationError({"into": _("Choose another tag.")})
    found = {row.pk: row for row in Tag.objects.select_for_update().filter(pk__in=[tag.pk, into and into.pk])}
    if tag.pk not in found or (into is not None and into.pk not in found):
        raise ValidationError({"into": _("This tag no longer exists.")})
    if into is not None:
        rows = Ticket.tags.through.objects
        tagged = rows.filter(tag=into).values("ticket")
        rows.filter(tag=tag).exclude(ticket__in=tagged).update(tag=into)
        for kept in (saved_views, replacing):
            kept.replace_value("tag", tag.pk, into.pk)
    signals.tag_changed.send(Tag, tag=tag, replacement=into)
    tag.delete()


def _named_tag(name: str) -> Tag:
    """Return the tag of a name, locked so that it stays; an unknown one is created."""
    name = " ".join(name.split())
    found = next((tag for tag in Tag.objects.all() if is_named(tag, name)), None) or _create(name)
    kept = Tag.objects.select_for_update().filter(pk=found.pk).first()
    if kept is None:
        raise ValidationError({"tag": _("This tag no longer exists.")})
    return kept


def _create(name: str) -> Tag:
    """Create a tag in the next colour, unless another transaction just has."""
    _gray, *colors = TagColor.values
    # Every fourth of nine: neighbours are hard to distinguish.
    tag = Tag(name=name, color=colors[4 * Tag.objects.count() % len(colors)])
    try:
        tag.full_clean(validate_constraints=False)
    except ValidationError as error:
        raise ValidationError({"tag": error.messages}) from error
    try:
        with transaction.atomic():
            tag.save()
    except IntegrityError:
        return Tag.objects.get(name__iexact=name)
    return tag


def _put(ticket: Ticket, tag: Tag, by: Actor) -> None:
    if len(tags_of(ticket)) >= MAX_TAGS:
        raise ValidationError({"tag": _("A ticket can have %(most)d tags.") % {"most": MAX_TAGS}})
    ticket.tags.add(tag)
    _record(ticket, by, Change("tags", None, tag))


def _take_off(ticket: Ticket, tag: Tag, by: Actor) -> None:
    ticket.tags.remove(tag)
    _record(ticket, by, Change("tags", tag, None))


def _record(ticket: Ticket, by: Actor, change: Change) -> None:
    ticket.version += 1
    save_with_sequence(ticket, Audience.STAFF)
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[change])


def _require_may_change(by: Actor, ticket: Ticket) -> None:
    require(policies.can_change(by, ticket), _("Only staff with access to this ticket can change it."))


def _require_admin(user: User) -> None:
    require(policies.can_configure(user), _("Only admins can change these settings."))
