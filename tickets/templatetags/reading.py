"""Template tags: what the user has not read."""

from typing import Any

from django import template

from tickets import reading

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_number(context: dict[str, Any]) -> int:
    """Return how many unread tickets concern the user of the page."""
    return reading.unread_number(context["request"].user)
