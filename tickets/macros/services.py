"""Save macros, and apply them to tickets."""

from collections.abc import Container
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from realtime import Audience
from tickets import policies, services, signals
from tickets.actors import Source
from tickets.configuration.saved_replies import require_may_save
from tickets.configuration.variables import fill
from tickets.forms.choices import ListChoices
from tickets.locking import lock, require, save_with_sequence
from tickets.macros import actions
from tickets.models import IdempotencyKey, Macro, Ticket, TicketSubscription
from tickets.notifications.subscriptions import set_level
from tickets.signals import Change
from tickets.tags.services import add_tag, remove_tag


@transaction.atomic
def save_macro(macro: Macro, *, by: User) -> None:
    """Save a new or changed macro. Raises PermissionDenied, ValidationError."""
    require_may_save(macro, by=by)
    actions.validate(macro)
    macro.save()


@transaction.atomic
def apply_macro(  # noqa: PLR0913
    macro: Macro,
    ticket: Ticket,
    *,
    by: User,
    source: Source = Source.PAGE,
    key: UUID | None = None,
    seen: UUID | None = None,
    seen_version: int | None = None,
    if_versions: Container[int] | None = None,
) -> bool:
    """Do all that `macro` names to `ticket`, or nothing. Return False if the form with this `key` has done it before.

    `seen` is the latest message that `by` has seen, if the macro writes one; `seen_version` and `if_versions` are
    those of `update_ticket`.
    Raises PermissionDenied, ValidationError; Conflict, UnseenMessages and Stale as those of the changes do.
    """
    ticket = lock(ticket)
    reason = _("Only staff with access to this ticket can change it.")
    require(policies.can_change(by, ticket), reason)
    macro = _usable(macro, by)
    if key is not None and not _is_first(key, macro, ticket, by):
        return False
    if if_versions is not None and ticket.version not in if_versions:
        raise services.Stale
    todo = actions.read(macro, ListChoices())
    if todo.missing:
        raise ValidationError([*todo.problems, _("Nothing was changed.")])
    _record(macro, ticket, by)
    _write_messages(todo, ticket, by=by, source=source, seen=seen)
    _change(todo, ticket, by=by, seen_version=seen_version)
    macro.count_use()  # last: it locks the row, for which the merge of a tag and the deletion of a status wait
    return True


def _usable(macro: Macro, by: User) -> Macro:
    """Return the macro as it is now. Raises ValidationError if `by` may not, or no longer, use it."""
    found = policies.usable_macros(by).filter(pk=macro.pk).first()
    if found is None:
        raise ValidationError(_("This macro no longer exists."))
    return found


def _is_first(key: UUID, macro: Macro, ticket: Ticket, by: User) -> bool:
    """Return whether the form with this key applies the macro to the locked ticket for the first time."""
    named = f"macro {macro.pk} {ticket.pk} {key}"  # the keys of API clients have no spaces
    _row, is_new = IdempotencyKey.objects.get_or_create(user=by, key=named, defaults={"fingerprint": ""})
    return is_new


def _record(macro: Macro, ticket: Ticket, by: User) -> None:
    """Say in the ticket's activity what the changes after it come from."""
    save_with_sequence(ticket, Audience.STAFF)
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[Change("macro", None, macro)])


def _write_messages(todo: actions.Actions, ticket: Ticket, *, by: User, source: Source, seen: UUID | None) -> None:
    """Add the reply and the note, before the other changes, which may end the access of `by`."""
    for name, text in todo.texts.items():
        message = fill(text, ticket, by=by)
        services.add_reply(ticket, by=by, message=message, internal=name == "note", source=source, seen=seen)


def _change(todo: actions.Actions, ticket: Ticket, *, by: User, seen_version: int | None) -> None:
    """Make the other changes: last those that may end the access of `by`."""
    if todo.follow:
        set_level(ticket, by=by, level=TicketSubscription.Level.FOLLOWED)
    for tag in todo.tags.get("remove_tags", ()):
        remove_tag(ticket, tag, by=by)
    for tag in todo.tags.get("add_tags", ()):
        add_tag(ticket, tag.name, by=by)
    services.update_ticket(ticket, by=by, values=todo.values(by=by), seen_version=seen_version)
