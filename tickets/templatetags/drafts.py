"""Template tags: which tickets the user is writing to."""

from typing import Any

from django import template

from tickets.drafts import drafted_tickets as drafted

register = template.Library()


@register.simple_tag(takes_context=True)
def drafted_tickets(context: dict[str, Any]) -> set[str]:
    """Return the UUIDs of tickets for which the user of the page has a draft."""
    return {str(uuid) for uuid in drafted(context["request"].user)}
