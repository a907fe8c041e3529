"""Template tags: what the user has not noticed yet."""

from typing import Any

from django import template

from tickets.models import STAFF_KINDS, NotificationKind, Ticket
from tickets.notifications import records, subscriptions

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_notifications(context: dict[str, Any]) -> int:
    """Return how many notifications of the user of the page are unread."""
    return records.unread_number(context["request"].user)


@register.simple_tag(takes_context=True)
def notification_kinds(context: dict[str, Any]) -> list[str]:
    """Return the kinds that the user of the page may be notified of in the app."""
    kinds = [kind for kind in NotificationKind if kind != NotificationKind.RECEIPT]
    is_customer = context["request"].user.is_customer
    return [kind.value for kind in kinds if not (is_customer and kind in STAFF_KINDS)]


@register.simple_tag(takes_context=True)
def is_notified(context: dict[str, Any], ticket: Ticket) -> bool:
    """Return whether the user of the page has an unread notification of a ticket that names no message."""
    return records.has_unread_change(context["request"].user, ticket)


@register.simple_tag(takes_context=True)
def subscription_level(context: dict[str, Any], ticket: Ticket) -> str:
    """Return whether the user of the page follows a ticket or has muted it; "" for neither."""
    return subscriptions.level_of(context["request"].user, ticket)
