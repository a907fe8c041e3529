"""The statuses and priorities of a new installation."""

from typing import Any

from tickets.models import Priority, Status

STATUSES = [
    {"name": "Open", "color": "#2563eb", "order": 1, "is_default": True},
    {"name": "In Progress", "color": "#c2410c", "order": 2},
    {"name": "On Hold", "color": "#a16207", "order": 3, "awaits_customer": True},
    {"name": "Closed", "color": "#15803d", "order": 4, "is_closed": True},
]
PRIORITIES = [
    {"name": "Low", "color": "#64748b", "order": 1},
    {"name": "Medium", "color": "#0369a1", "order": 2, "is_default": True},
    {"name": "High", "color": "#c2410c", "order": 3},
    {"name": "Urgent", "color": "#be123c", "order": 4},
]


def install_defaults(**_: Any) -> None:
    """Create them if there are none yet."""
    if not Status.objects.exists():
        Status.objects.bulk_create(Status(**fields) for fields in STATUSES)
    if not Priority.objects.exists():
        Priority.objects.bulk_create(Priority(**fields) for fields in PRIORITIES)
