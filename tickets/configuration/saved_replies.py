"""Saved replies: their variables, and the services that change and use them."""

import re
from collections.abc import Iterator
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.text.lines import is_blank
from realtime import Audience
from tickets import payloads, policies
from tickets.models import SavedReply, Ticket

# What each variable stands for, as the form explains it.
VARIABLES: Final = {
    "customer": gettext_lazy("the customer's name"),
    "customer.first_name": gettext_lazy("the customer's first name"),
    "agent": gettext_lazy("your name, as customers see it"),
    "office": gettext_lazy("the ticket's office"),
    "reference": gettext_lazy("the ticket's reference"),
    "subject": gettext_lazy("the ticket's subject"),
}
_VARIABLE: Final = re.compile(r"\{\{\s*([^{}\n]*?)\s*\}\}")


def validate_text(text: str) -> None:
    """Raise ValidationError for a text that shows nothing, or a variable that does not exist."""
    if is_blank(text):
        raise ValidationError({"text": _("Enter a message.")})
    unknown = sorted(set(_VARIABLE.findall(text)) - VARIABLES.keys())
    if unknown:
        words = ", ".join(f"{{{{{name}}}}}" for name in unknown)
        raise ValidationError({"text": _("There is no variable %(names)s.") % {"names": words}})


@transaction.atomic
def save(saved: SavedReply, *, by: User) -> None:
    """Save a new or changed reply. Raises PermissionDenied, ValidationError."""
    before = SavedReply.objects.select_for_update().filter(pk=saved.pk).first()
    for each in (before, saved):
        _require(each is None or policies.can_edit_saved_reply(by, each))
    validate_text(saved.text)
    saved.save()


@transaction.atomic
def delete(saved: SavedReply, *, by: User) -> None:
    """Delete a reply. Raises PermissionDenied."""
    _require(policies.can_edit_saved_reply(by, saved))
    saved.delete()


def record_use(saved: SavedReply, *, by: User) -> None:
    """Count a use. Raises PermissionDenied."""
    _require(policies.usable_saved_replies(by).filter(pk=saved.pk).exists())
    SavedReply.objects.filter(pk=saved.pk).update(uses=F("uses") + 1)


def fill(text: str, ticket: Ticket, *, by: User) -> str:
    """Return `text` with the values of `ticket` for its variables; an unknown one stays as it is."""
    values = dict(_values(ticket, by))
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def _values(ticket: Ticket, by: User) -> Iterator[tuple[str, str]]:
    """Yield each variable with its value. It goes to the customer: names are those that customers see."""
    customer = str(ticket.creator)
    yield "customer", customer
    yield "customer.first_name", customer.split(maxsplit=1)[0]
    yield "agent", payloads.user_payload(by, ticket, Audience.PUBLIC)["name"] or ""
    yield "office", payloads.office_name(ticket.office, Audience.PUBLIC) or ""
    yield "reference", ticket.reference
    yield "subject", ticket.subject


def _require(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied(_("You can't change this saved reply."))
