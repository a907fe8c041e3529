"""Jobs that change many tickets."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError

from accounts.models import User
from jobs import task
from jobs.models import Job
from jobs.runner import PermanentFailure
from tickets.configuration import replacements


@task(atomic=False)
def replace_value(job: Job, *, field: str, value_id: int, replacement_id: int, by_id: str, part: int) -> None:
    """Give tickets another status, priority or office, then delete the old one; many tickets take several jobs."""
    model = replacements.MODELS[field]
    value = model._default_manager.filter(pk=value_id).first()
    if value is None:
        return
    try:
        by, replacement = User.objects.get(pk=by_id), model._default_manager.get(pk=replacement_id)
        for _batch in range(replacements.BATCHES_OF_A_JOB):
            if not replacements.replace_batch(value, replacement, by=by):
                break
        replacements.delete_value(value, by=by, replacement=replacement, part=part + 1)
    except (ObjectDoesNotExist, PermissionDenied, ValidationError) as error:
        raise PermanentFailure(_reason(error)) from error


def _reason(error: Any) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
