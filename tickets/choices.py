"""Services for the values that admins manage: statuses and priorities."""

from collections.abc import Sequence
from typing import Literal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from jobs.models import Job
from tickets import policies, services
from tickets.models import Choice, Priority, Status, Ticket

BATCH_SIZE = 100  # tickets that change in one transaction
BATCHES_OF_A_JOB = 10

MODELS: dict[str, type[Choice]] = {"status": Status, "priority": Priority}


def kind_of(choice: Choice) -> Literal["status", "priority"]:
    """Return the field of a ticket that holds `choice`."""
    return "status" if isinstance(choice, Status) else "priority"


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


def tickets_with(choice: Choice) -> int:
    """Return the number of tickets that have this value."""
    return Ticket.objects.filter(**{kind_of(choice): choice}).count()


@transaction.atomic
def delete_choice(choice: Choice, *, by: User, replacement: Choice | None = None, part: int = 1) -> bool:
    """Delete a value. Tickets that have it get `replacement` first, in jobs, of which this enqueues number `part`.

    Return whether it is deleted already. Raises PermissionDenied, ValidationError.
    """
    from tickets.tasks import replace_choice  # imports this module

    _require(by)
    check_deletable(choice)
    model = type(choice)
    choice = model._default_manager.select_for_update().get(pk=choice.pk)
    if not Ticket.objects.filter(**{kind_of(choice): choice}).exists():
        choice.delete()
        return True
    if replacement is None or replacement.pk == choice.pk:
        raise ValidationError({"replacement": _("Choose what these tickets become.")})
    replace_choice.enqueue(
        key=f"{_job_key(choice)}{part}",
        kind=kind_of(choice),
        choice_id=choice.pk,
        replacement_id=replacement.pk,
        by_id=str(by.pk),
        part=part,
    )
    return False


def check_deletable(choice: Choice) -> None:
    """Raise ValidationError for the default: new and reopened tickets need it."""
    if choice.is_default:
        raise ValidationError(_("This is the default. Choose another default first."))


def is_being_deleted(choice: Choice) -> bool:
    """Return whether a job moves the tickets of this value."""
    jobs = Job.objects.filter(task="tickets.replace_choice", key__startswith=_job_key(choice))
    return jobs.filter(finished_at=None).exists()


def replace_batch(choice: Choice, replacement: Choice, *, by: User) -> int:
    """Give the next tickets `replacement` instead of `choice`, in one transaction. Return their number."""
    field = kind_of(choice)
    with transaction.atomic():
        tickets = list(Ticket.objects.filter(**{field: choice}).order_by("pk")[:BATCH_SIZE])
        for ticket in tickets:
            services.update_ticket(ticket, by=by, values={field: replacement})
    return len(tickets)


def _job_key(choice: Choice) -> str:
    return f"{kind_of(choice)}:{choice.pk}:"


def _require(user: User) -> None:
    if not policies.can_configure(user):
        raise PermissionDenied(_("Only admins can change these settings."))
