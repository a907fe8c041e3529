"""What templates need of people."""

from django import template

from accounts.sessions import browser_name

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    """Say which browser this is."""
    return browser_name(user_agent)
