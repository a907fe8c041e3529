"""Jobs that change many tickets."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError

from accounts.models import User
from jobs import task
from jobs.models import Job
from jobs.runner import PermanentFailure
from tickets import choices


@task(atomic=False)
def replace_choice(job: Job, *, kind: str, choice_id: int, replacement_id: int, by_id: str, part: int = 1) -> None:
    """Give tickets another status or priority, then delete the old one; many tickets take several jobs."""
    model = choices.MODELS[kind]
    choice = model._default_manager.filter(pk=choice_id).first()
    if choice is None:
        return
    try:
        by, replacement = User.objects.get(pk=by_id), model._default_manager.get(pk=replacement_id)
        for _batch in range(choices.BATCHES_OF_A_JOB):
            if not choices.replace_batch(choice, replacement, by=by):
                break
        choices.delete_choice(choice, by=by, replacement=replacement, part=part + 1)
    except (ObjectDoesNotExist, PermissionDenied, ValidationError) as error:
        raise PermanentFailure(_reason(error)) from error


def _reason(error: Any) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
