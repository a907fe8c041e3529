"""Template filters for users."""

from django import template

from accounts.sign_in.sessions import browser_name

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    return browser_name(user_agent)
