"""Delete a status, a priority or an office, once its tickets have another one."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Office, User
from jobs.models import Job
from tickets import policies, services
from tickets.configuration import saved_views
from tickets.macros import replacing
from tickets.models import Priority, Status, Ticket

BATCH_SIZE = 100  # tickets that change in one transaction
BATCHES_OF_A_JOB = 10

Value = Status | Priority | Office
MODELS: dict[str, type[Any]] = {"status": Status, "priority": Priority, "office": Office}


def field_of(value: Value) -> str:
    """Return the field of a ticket that holds `value`."""
    return next(field for field, model in MODELS.items() if isinstance(value, model))


def tickets_with(value: Value) -> QuerySet[Ticket]:
    """Return the tickets that have this value."""
    return Ticket.objects.filter(**{field_of(value): value})


@transaction.atomic
def delete_value(value: Value, *, by: User, replacement: Model | None = None, part: int = 1) -> bool:
    """Delete a value. Tickets that have it get `replacement` first, in jobs, of which this enqueues number `part`.

    Return whether it is deleted already. Raises PermissionDenied, ValidationError.
    """
    from tickets.tasks import replace_value  # imports this module

    if not policies.can_configure(by):
        raise PermissionDenied(_("Only admins can change these settings."))
    value = type(value)._default_manager.select_for_update().get(pk=value.pk)
    if getattr(value, "is_default", False):
        raise ValidationError(_("This is the default. Choose another default first."))
    if not tickets_with(value).exists():
        if replacement is not None:
            for kept in (saved_views, replacing):
                kept.replace_value(field_of(value), value.pk, replacement.pk)
        _delete(value)
        return True
    if replacement is None or replacement.pk == value.pk:
        raise ValidationError({"replacement": _("Choose what these tickets get instead.")})
    replace_value.enqueue(
        key=f"{_job_key(value)}{part}",
        field=field_of(value),
        value_id=value.pk,
        replacement_id=replacement.pk,
        by_id=str(by.pk),
        part=part,
    )
    return False


def is_being_deleted(value: Value) -> bool:
    """Return whether jobs change the tickets of this value."""
    jobs = Job.objects.filter(task="tickets.replace_value", key__startswith=_job_key(value))
    return jobs.filter(finished_at=None).exists()


@transaction.atomic
def replace_batch(value: Value, replacement: Value, *, by: User) -> int:
    """Give the next tickets `replacement` instead of `value`. Return their number."""
    tickets = list(tickets_with(value).order_by("pk")[:BATCH_SIZE])
    for ticket in tickets:
        services.update_ticket(ticket, by=by, values={field_of(value): replacement}, is_replacement=True)
    return len(tickets)


def _delete(value: Value) -> None:
    try:
        value.delete()
    except ProtectedError as error:
        kinds = {str(each._meta.verbose_name_plural) for each in error.protected_objects}
        raise ValidationError(_("Still in use: %(what)s.") % {"what": ", ".join(sorted(kinds))}) from error


def _job_key(value: Value) -> str:
    return f"{field_of(value)}:{value.pk}:"
