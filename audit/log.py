"""Add entries to the audit log, in the transaction of what they are about."""

from typing import Any

from django.db.models import Model

from accounts.models import User
from audit import requests
from audit.models import AuditEntry
from tickets.models import Ticket

Action = AuditEntry.Action


def record(
    action: Action,
    subject: Model | None = None,
    *,
    by: User | None = None,
    changes: dict[str, list[Any]] | None = None,
) -> None:
    """Add an entry; by default the actor is who sent the request that is being answered."""
    request = requests.current_request()
    actor = by or (requests.request_user(request) if request else None)
    AuditEntry.objects.create(
        action=action,
        actor=actor,
        subject_type=subject._meta.label_lower if subject else "",
        subject_id=str(subject.pk) if subject else "",
        subject_name=_name(subject),
        changes=changes or {},
        address=requests.client_address(request) if request else None,
        request_id=requests.request_id(request) if request else "",
    )


def _name(subject: Model | None) -> str:
    """Return the name of what is no person and names none."""
    if subject is None or isinstance(subject, User):
        return ""
    return (subject.reference if isinstance(subject, Ticket) else str(subject))[:200]
