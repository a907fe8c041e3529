"""Mentions of colleagues in internal notes: who is mentioned, and how the note shows it."""

import re
from collections.abc import Iterable
from html import escape
from typing import Final
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from tickets import policies
from tickets.models import Mention, Reply

MAX_MENTIONS: Final = 50
_TAG: Final = re.compile(r'(<(?:[^>"]|"[^"]*")*>)')


def record(reply: Reply, ids: Iterable[UUID]) -> None:
    """Record the people that a new note mentions: staff of the ticket whose names it has. Others are ignored."""
    if not reply.is_internal:
        return
    people = policies.staff_of(reply.ticket).filter(pk__in=list(ids)[:MAX_MENTIONS]).exclude(pk=reply.author_id)
    named = [user for user in people if f"@{user.name}" in reply.message]
    Mention.objects.bulk_create(Mention(reply=reply, user=user, name=user.name) for user in named)


def with_chips(html: SafeString, names: Iterable[str]) -> SafeString:
    """Return the HTML of a note in which "@name" stands out, outside of tags."""
    escaped = sorted((escape(name, quote=False) for name in names), key=len, reverse=True)
    if not escaped:
        return html
    pattern = re.compile(rf"@(?:{'|'.join(map(re.escape, escaped))})(?!\w)")
    parts = _TAG.split(html)
    parts[::2] = [pattern.sub(lambda match: f'<span class="mention">{match[0]}</span>', text) for text in parts[::2]]
    return mark_safe("".join(parts))  # noqa: S308  (sanitised as before)
