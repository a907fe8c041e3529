"""Report to operators that jobs wait although they are due: most likely no worker runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError
from django.db.models import Min
from django.http import HttpRequest
from django.template.defaultfilters import date
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.models import Job

OVERDUE: Final = timedelta(minutes=2)


def overdue_since() -> datetime | None:
    """Return since when the oldest job waits that should have run, also behind others; None if none does."""
    due = Job.objects.filter(state=Job.State.WAITING, run_at__lt=timezone.now() - OVERDUE)
    oldest: datetime | None = due.aggregate(oldest=Min("run_at"))["oldest"]
    return oldest


def warn(request: HttpRequest) -> None:
    """Show admins that jobs are overdue."""
    since = overdue_since() if request.user.has_perm("jobs.view_job") else None
    if since is not None:
        shown = date(timezone.localtime(since), "DATETIME_FORMAT")
        text = _("Jobs are due since %(since)s and have not run. Check that manage.py worker is running.")
        messages.warning(request, text % {"since": shown})


@register(Tags.database)
def check_worker(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Report overdue jobs, in `check --database default`."""
    try:
        since = overdue_since() if databases else None
    except DatabaseError:  # before the first `migrate`
        return []
    if since is None:
        return []
    text = f"Jobs are due since {since:%Y-%m-%d %H:%M:%S %Z} and have not run: mail and webhooks wait."
    return [Warning(text, hint="Run manage.py worker, or manage.py serve --with-worker.", id="jobs.W001")]
