"""Undo a bulk change: each ticket that has not changed since gets the values that it had before."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.models import Office, User
from accounts.types import AuthenticatedRequest
from realtime.utils import encryption
from tickets import policies, services
from tickets.models import Priority, Status, Ticket, tags_of

MAX_AGE = 600  # seconds
PURPOSE = "tickets.bulk_undo"
MODELS = {"status": Status, "priority": Priority, "assigned_to": User, "office": Office}


@dataclass(frozen=True)
class Earlier:
    """What a ticket had before a bulk change, and its version after it."""

    uuid: str
    reference: str
    version: int
    values: dict[str, Any]


def values_of(ticket: Ticket) -> dict[str, Any]:
    """Return what bulk changes may change, as JSON has it."""
    until = ticket.snoozed_until
    return {
        **{name: _key(getattr(ticket, f"{name}_id")) for name in MODELS},
        "snoozed_until": until.isoformat() if until and until > timezone.now() else None,
        "tags": [tag.name for tag in tags_of(ticket)],
    }


def earlier_of(ticket: Ticket, before: dict[str, Any]) -> Earlier:
    """Return which of the values `before` the ticket has no longer."""
    after = values_of(ticket)
    return Earlier(
        str(ticket.uuid),
        ticket.reference,
        ticket.version,
        {name: before[name] for name in before if before[name] != after[name]},
    )


def undo_token(user: User, changes: Iterable[Earlier]) -> str:
    """Return what undoes the changes, for this user and for ten minutes; empty if nothing has changed."""
    rows = [[each.uuid, each.reference, each.version, each.values] for each in changes if each.values]
    text = json.dumps([str(user.pk), timezone.now().timestamp(), rows])
    return encryption.encrypt(text, purpose=PURPOSE) if rows else ""


@require_POST
@login_required
def undo_changes(request: AuthenticatedRequest) -> HttpResponse:
    """Restore the tickets of a bulk change one by one, and report the ones that could not be restored."""
    changes = _read(request)
    if changes is None:
        return JsonResponse({"errors": {"__all__": [_("This can no longer be undone.")]}}, status=422)
    tickets = policies.visible_tickets(request.user).filter(uuid__in=[UUID(each.uuid) for each in changes])
    found = {str(ticket.uuid): ticket for ticket in tickets}
    # In the order of the change, which prevents deadlocks.
    refused = [
        answer for each in changes if (answer := _restore(found.get(each.uuid), each, request.user)) is not None
    ]
    number = len(changes) - len(refused)
    done = ngettext("%(number)d ticket restored.", "%(number)d tickets restored.", number) % {"number": number}
    return JsonResponse({"changed": number, "message": done, "refused": refused, "undo": ""})


def _read(request: HttpRequest) -> list[Earlier] | None:
    text = encryption.decrypt(request.POST.get("undo", ""), purpose=PURPOSE)
    if text is None:
        return None
    user, moment, rows = json.loads(text)
    is_usable = user == str(request.user.pk) and timezone.now().timestamp() - moment < MAX_AGE
    return [Earlier(*row) for row in rows] if is_usable else None


def _restore(ticket: Ticket | None, earlier: Earlier, user: User) -> dict[str, str] | None:
    """Restore a ticket; return why it could not be."""
    reason = _("Not found. It may have been moved or deleted.")
    try:
        if ticket is not None:
            with transaction.atomic():
                values = _objects(earlier.values)
                snooze = {name: values.pop(name) for name in ("snoozed_until",) if name in values}
                services.update_ticket(ticket, by=user, values=values, if_versions=[earlier.version])
                services.update_ticket(ticket, by=user, values=snooze)  # last: closed tickets have none
            return None
    except services.Stale:
        reason = _("It has been changed since.")
    except ObjectDoesNotExist:
        reason = _("What it had before no longer exists.")
    except PermissionDenied as error:
        reason = str(error)
    except ValidationError as error:
        reason = " ".join(error.messages)
    return {"uuid": earlier.uuid, "reference": earlier.reference, "reason": reason}


def _objects(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as services take them."""
    found = dict(values)
    for name, model in MODELS.items():
        if values.get(name) is not None:
            found[name] = model._default_manager.get(pk=values[name])
    if values.get("snoozed_until"):
        found["snoozed_until"] = datetime.fromisoformat(values["snoozed_until"])
    return found


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, UUID) else key
