"""Template tags: times, icons, parts that many pages share."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tickets.list_queries import MAX_COUNT

register = template.Library()
ICONS_ALONG_THE_LINE = {"arrow-left", "chevron-left", "chevron-right", "log-out", "reply", "send", "undo-2"}


@register.filter
def from_iso(text: str) -> datetime | None:
    """Parse a payload's time, for the `date` filter."""
    return datetime.fromisoformat(text) if text else None


@register.filter
def is_future(text: str | None) -> bool:
    """Return whether a payload's time is still to come."""
    return bool(text) and datetime.fromisoformat(str(text)) > timezone.now()


@register.filter
def up_to_999(number: int) -> str:
    """Return a number as text; "999+" where the count stopped. See `static/js/behaviors/live-counts.js`."""
    return str(number) if number < MAX_COUNT else f"{MAX_COUNT - 1}+"


@register.filter
def in_units(duration: timedelta | None) -> str:
    """Return a duration in its two largest units: 3 d 4 h, 4 h 5 min, 12 min; an empty text for none."""
    if duration is None:
        return ""
    minutes = round(duration.total_seconds() / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a Lucide icon, hidden from screen readers."""
    return _icon(name)


@lru_cache
def _icon(name: str) -> SafeString:
    text = (settings.ICONS_DIR / f"{name}.svg").read_text()
    drawing = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    look = "icon icon-along" if name in ICONS_ALONG_THE_LINE else "icon"
    return mark_safe(  # noqa: S308  (a file of the lucide-static package)
        f'<svg class="{look}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{drawing}</svg>'
    )


@register.simple_tag
def shared_part(name: str, **values: bool) -> SafeString:
    """Return a template that depends on nothing but the language and these values; rendered once by each process.

    Such are the `<template>`s that scripts fill. With DEBUG each page renders them anew, since they may be edited.
    """
    render = _shared_part.__wrapped__ if settings.DEBUG else _shared_part
    return render(name, get_language(), tuple(values.items()))


@lru_cache(maxsize=200)
def _shared_part(name: str, language: str, values: tuple[tuple[str, Any], ...]) -> SafeString:
    return render_to_string(name, dict(values))
