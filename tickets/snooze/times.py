"""Times to snooze until, which staff choose by name, in the time zone of the request."""

from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LATER, TOMORROW, NEXT_WEEK = "later", "tomorrow", "next-week"
NAMES: list[tuple[str, Any]] = [
    (LATER, _("In 3 hours")),
    (TOMORROW, _("Tomorrow at 9:00")),
    (NEXT_WEEK, _("Monday at 9:00")),
]
HOURS = timedelta(hours=3)
MORNING = time(9)
MONDAY = 7  # days after the last one


def time_named(name: str) -> datetime:
    """Return the time of one of NAMES from now on."""
    if name == LATER:
        return (timezone.now() + HOURS).replace(second=0, microsecond=0)
    now = timezone.localtime()
    days = 1 if name == TOMORROW else MONDAY - now.weekday()
    return datetime.combine(now.date() + timedelta(days=days), MORNING, now.tzinfo)
