"""Template tags: times, icons."""

from datetime import datetime
from functools import lru_cache

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from tickets.counts import MAX_COUNT

register = template.Library()


@register.filter
def from_iso(text: str) -> datetime | None:
    """Parse a payload's time, for the `date` filter."""
    return datetime.fromisoformat(text) if text else None


@register.filter
def up_to_999(number: int) -> str:
    """Return a number as text; "999+" where the count stopped. See `static/js/behaviors/live-counts.js`."""
    return str(number) if number < MAX_COUNT else f"{MAX_COUNT - 1}+"


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a Lucide icon, hidden from screen readers."""
    return _icon(name)


@lru_cache
def _icon(name: str) -> SafeString:
    text = (settings.ICONS_DIR / f"{name}.svg").read_text()
    drawing = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    return mark_safe(  # noqa: S308  (a file of the lucide-static package)
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{drawing}</svg>'
    )
