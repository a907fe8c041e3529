"""Since when a ticket is closed: kept on its row, where an index finds the few that are open."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps as global_apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.signals import post_save
from django.dispatch import receiver

from tickets.models import Status

BATCH_SIZE = 5_000  # tickets that are changed by one statement


def settle(*, apps: Any = global_apps, using: str = DEFAULT_DB_ALIAS) -> Iterator[int]:
    """Derive `closed_at` of tickets whose status says otherwise, in batches, and yield the size of each."""
    statuses = apps.get_model("tickets", "Status")._base_manager.using(using)
    for status in statuses.all():
        yield from _settle(status, apps, using)


@receiver(post_save, sender=Status)
def _settle_saved_status(instance: Status, raw: bool, using: str, **_: Any) -> None:
    """Follow "counts as closed", in the transaction that changes it."""
    if not raw:
        list(_settle(instance, global_apps, using))


def _settle(status: Any, apps: Any, using: str) -> Iterator[int]:
    tickets = apps.get_model("tickets", "Ticket")._base_manager.using(using).filter(status=status.pk)
    differing = tickets.filter(closed_at__isnull=status.is_closed)
    value = closed_since(apps, using) if status.is_closed else None
    while keys := list(differing.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        yield differing.filter(pk__in=keys).update(closed_at=value)


def closed_since(apps: Any, using: str) -> Coalesce:
    """Return the time of the last change to a closed status from one that is not; without one, of the last change."""
    entries: QuerySet[Model] = apps.get_model("tickets", "TimelineEntry")._base_manager.using(using)
    statuses = apps.get_model("tickets", "Status")._base_manager.using(using)
    closed = list(statuses.filter(is_closed=True).values_list("name", flat=True))
    changes = entries.filter(ticket=OuterRef("pk"), action="status").exclude(Q(staff__from__in=closed))
    return Coalesce(Subquery(changes.order_by("-pk").values("created_at")[:1]), F("updated_at"))
