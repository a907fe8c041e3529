"""What templates need of people."""

from django import template

from accounts.sign_ins import browser_of

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    """Say which browser this is."""
    return browser_of(user_agent)
