"""Jobs that change many tickets."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError

from accounts.models import User
from jobs import task
from jobs.models import Job
from jobs.runner import PermanentFailure
from tickets.actors import Cause, System
from tickets.configuration import replacements
from tickets.models import Ticket
from tickets.snooze.services import end_due_snooze

PUSH_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600))


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


@task()
def push_notice(job: Job, *, occurrence: str) -> None:
    """Enqueue a push message for each browser of the people who were notified, and have not seen it on a page."""
    from tickets.notifications.push import sending  # web processes do not load its libraries

    for notification, browser in sending.subscriptions_for(occurrence):
        key = f"{notification.pk} {browser.pk}"
        push_message.enqueue(key=key, notification=str(notification.pk), subscription=browser.pk)


@task(atomic=False, delays=PUSH_DELAYS)
def push_message(job: Job, *, notification: str, subscription: int) -> None:
    """Send a push message, unless its person has seen it meanwhile, or may not any more."""
    from tickets.notifications.push import sending

    sending.send(notification, subscription)


@task()
def end_snooze(job: Job, *, ticket_id: int) -> None:
    """Bring a ticket back, unless it was snoozed for longer meanwhile."""
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    if ticket is not None:
        end_due_snooze(ticket, by=System(Cause.SCHEDULE))


def _reason(error: Any) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
