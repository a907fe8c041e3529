"""Variables in the texts of saved replies and macros: {{customer}} stands for the name of a ticket's customer."""

import re
from collections.abc import Iterator
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.text.lines import is_blank
from realtime import Audience
from tickets import payloads
from tickets.models import Ticket

# What each variable stands for, as the forms explain it.
VARIABLES: Final = {
    "customer": gettext_lazy("the customer's name"),
    "customer.first_name": gettext_lazy("the customer's first name"),
    "agent": gettext_lazy("your name, as customers see it"),
    "office": gettext_lazy("the ticket's office"),
    "reference": gettext_lazy("the ticket's reference"),
    "subject": gettext_lazy("the ticket's subject"),
}
_VARIABLE: Final = re.compile(r"\{\{\s*([^{}\n]*?)\s*\}\}")


def validate_text(text: str, *, field: str = "text") -> None:
    """Raise ValidationError of `field` for a text that shows nothing, or a variable that does not exist."""
    if is_blank(text):
        raise ValidationError({field: _("Enter a message.")})
    unknown = sorted(set(_VARIABLE.findall(text)) - VARIABLES.keys())
    if unknown:
        words = ", ".join(f"{{{{{name}}}}}" for name in unknown)
        raise ValidationError({field: _("There is no variable %(names)s.") % {"names": words}})


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
