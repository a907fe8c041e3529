"""Keeps the searchable texts of tickets and replies up to date."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps as global_apps
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import QuerySet
from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.text.folding import FOLDING_VERSION, searchable
from tickets.models import Reply, SearchText, Ticket
from tickets.signals import Change, ticket_updated, visibility_changed

BATCH_SIZE = 200  # messages, of up to 50 KB


def text_of_ticket(reference: str, subject: str, content: str) -> str:
    """Return the searchable text of a ticket."""
    return searchable(f"{reference} {reference.replace('-', '')} {subject}\n{content}")


def index(messages: Iterable[Any], texts: QuerySet[Any] | None = None) -> None:
    """Write the searchable texts of tickets, or of replies and notes; `texts` are those of a migration's state."""
    texts = SearchText.objects.all() if texts is None else texts
    rows = [texts.model(**_values(message), version=FOLDING_VERSION) for message in messages]
    if not rows:
        return
    old = {"reply": None, "ticket__in": [row.ticket_id for row in rows]}
    if rows[0].reply_id is not None:
        old = {"reply__in": [row.reply_id for row in rows]}
    with transaction.atomic(using=texts.db):
        texts.filter(**old).delete()
        texts.bulk_create(rows)


def _values(message: Any) -> dict[str, Any]:
    if message._meta.model_name == "ticket":
        text = text_of_ticket(message.reference, message.subject, message.content)
        return {"ticket_id": message.pk, "text": text}
    text = searchable(message.message)
    is_internal = message.is_internal
    return {"ticket_id": message.ticket_id, "reply_id": message.pk, "is_internal": is_internal, "text": text}


def index_again(*, apps: Any = global_apps, using: str = DEFAULT_DB_ALIAS, everything: bool = False) -> Iterator[int]:
    """Index the messages that have no text of the current folding, in batches, and yield the size of each."""
    texts = apps.get_model("tickets", "SearchText")._base_manager.using(using)
    current = texts.filter(version=FOLDING_VERSION)
    done = {
        "Ticket": current.filter(reply=None).values("ticket"),
        "Reply": current.exclude(reply=None).values("reply"),
    }
    for name, keys in done.items():
        messages = apps.get_model("tickets", name)._base_manager.using(using)
        yield from _index(messages.all() if everything else messages.exclude(pk__in=keys), texts)


def _index(messages: QuerySet[Any], texts: QuerySet[Any]) -> Iterator[int]:
    """Go through a table by primary key; lock the rows of a batch, so that no newer text is overwritten."""
    remaining = messages.order_by("pk").defer("rendered").select_for_update(of=("self",))
    rows: list[Any] = []
    while True:
        with transaction.atomic(using=messages.db):
            rows = list((remaining.filter(pk__gt=rows[-1].pk) if rows else remaining)[:BATCH_SIZE])
            index(rows, texts)
        if not rows:
            return
        yield len(rows)


@receiver(post_save, sender=Ticket)
@receiver(post_save, sender=Reply)
def _index_new_message(instance: Ticket | Reply, created: bool, raw: bool, **_: Any) -> None:
    if created and not raw:  # a fixture has its searchable texts too
        SearchText.objects.create(**_values(instance), version=FOLDING_VERSION)


@receiver(ticket_updated)
def _index_subject(ticket: Ticket, changes: list[Change], **_: Any) -> None:
    if any(change.field == "subject" for change in changes):
        text = text_of_ticket(ticket.reference, ticket.subject, ticket.content)
        SearchText.objects.filter(ticket=ticket, reply=None).update(text=text, version=FOLDING_VERSION)


@receiver(visibility_changed)
def _move_text(reply: Reply, **_: Any) -> None:
    SearchText.objects.filter(reply=reply).update(is_internal=reply.is_internal)
