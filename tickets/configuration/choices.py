"""Services for statuses and priorities."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import policies
from tickets.models import Choice


@transaction.atomic
def save_choice(choice: Choice, *, by: User, is_default: bool) -> None:
    """Save a new or changed value; a new one comes last, a new default replaces the old one.

    Raises PermissionDenied.
    """
    _require(by)
    choices = type(choice)._default_manager
    siblings = list(choices.select_for_update().order_by("order", "name"))
    if choice.pk is None:
        choice.order = siblings[-1].order + 1 if siblings else 1
    if is_default:
        choices.exclude(pk=choice.pk).update(is_default=False)
    choice.is_default = is_default
    choice.save()


@transaction.atomic
def order_choices(model: type[Choice], ids: Sequence[int], *, by: User) -> None:
    """Put the values in the order of `ids`; those that it does not name keep their order and come last.

    Raises PermissionDenied.
    """
    _require(by)
    place = {pk: number for number, pk in enumerate(ids)}
    choices = list(model._default_manager.select_for_update().order_by("order", "name"))
    choices.sort(key=lambda choice: place.get(choice.pk, len(place)))
    for number, choice in enumerate(choices, 1):
        choice.order = number
    model._default_manager.bulk_update(choices, ["order"])


def _require(user: User) -> None:
    if not policies.can_configure(user):
        raise PermissionDenied(_("Only admins can change these settings."))
