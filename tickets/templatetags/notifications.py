"""Template tags: what the user has not noticed yet."""

import json
from typing import Any

from django import template

from tickets.models import PERSONAL_KINDS, Ticket
from tickets.notifications import preferences, records, subscriptions
from tickets.notifications.payloads import SUMMARIES

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_notifications(context: dict[str, Any]) -> int:
    """Return how many notifications of the user of the page are unread."""
    return records.unread_number(context["request"].user)


@register.simple_tag
def notification_kinds(is_customer: bool) -> list[tuple[str, str, bool]]:
    """Return (kind, summary, concerns the person) for what customers or staff are notified of, and the summaries."""
    kinds = preferences.kinds_for(is_customer=is_customer)
    words = dict.fromkeys(SUMMARIES[kind] for kind in kinds if kind in SUMMARIES)
    rows = [(kind.value, SUMMARIES.get(kind, ""), kind in PERSONAL_KINDS) for kind in kinds]
    return rows + [(word, "", False) for word in words]


@register.simple_tag(takes_context=True)
def alerts(context: dict[str, Any]) -> str:
    """Return for each kind which of desktop and sound the user of the page wants, as JSON."""
    return json.dumps(preferences.alerts_of(context["request"].user))


@register.simple_tag(takes_context=True)
def is_notified(context: dict[str, Any], ticket: Ticket) -> bool:
    """Return whether the user of the page has an unread notification of a ticket that names no message."""
    return records.has_unread_change(context["request"].user, ticket)


@register.simple_tag(takes_context=True)
def subscription_level(context: dict[str, Any], ticket: Ticket) -> str:
    """Return whether the user of the page follows a ticket or has muted it; "" for neither."""
    return subscriptions.level_of(context["request"].user, ticket)
