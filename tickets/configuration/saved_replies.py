"""Saved replies: the services that change and use them."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import policies
from tickets.configuration.variables import validate_text
from tickets.locking import require
from tickets.models import Macro, SavedReply


@transaction.atomic
def save(saved: SavedReply, *, by: User) -> None:
    """Save a new or changed reply. Raises PermissionDenied, ValidationError."""
    require_may_save(saved, by=by)
    validate_text(saved.text)
    saved.save()


@transaction.atomic
def delete(saved: SavedReply | Macro, *, by: User) -> None:
    """Delete a saved reply or a macro. Raises PermissionDenied."""
    _require_may_edit(saved, by)
    saved.delete()


def record_use(saved: SavedReply, *, by: User) -> None:
    """Count a use. Raises PermissionDenied."""
    usable = policies.usable_saved_replies(by).filter(pk=saved.pk).exists()
    require(usable, _("You can't use this saved reply."))
    saved.count_use()


def require_may_save(saved: SavedReply | Macro, *, by: User) -> None:
    """Lock what is being saved; `by` must be able to change it before and after. Raises PermissionDenied."""
    before = type(saved)._default_manager.select_for_update().filter(pk=saved.pk).first()
    for each in (before, saved):
        if each is not None:
            _require_may_edit(each, by)


def _require_may_edit(saved: SavedReply | Macro, by: User) -> None:
    require(policies.can_edit_saved(by, saved), _("Only its owner, its office or an admin can change this."))
