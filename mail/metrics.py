"""Metrics of mail, counted when Prometheus asks."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mail.models import Mailbox, OutgoingMail, ReceivedMessage

DAY: Final = timedelta(days=1)
OPEN: Final = (ReceivedMessage.State.RECEIVED, ReceivedMessage.State.HELD, ReceivedMessage.State.FAILED)


class MailCollector(Collector):
    """Counts what waits and what went wrong; each number has an index."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Return the metrics without values."""
        return [
            GaugeMetricFamily(
                "tikm_mails",
                "Mails to people: `queued`; `failed` and `bounced` in the last 24 hours.",
                labels=["state"],
            ),
            GaugeMetricFamily(
                "tikm_received_messages",
                "Received messages that are no ticket or reply: `received` (they wait), `held`, `failed`.",
                labels=["state"],
            ),
            GaugeMetricFamily(
                "tikm_mailbox_check_age_seconds", "How long ago the mailbox was checked that waits longest for it."
            ),
        ]

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the numbers; nothing without the database."""
        mails, received, age = self.describe()
        now = timezone.now()
        try:
            for state, number in _mails(now - DAY).items():
                mails.add_metric([state], number)
            for state, number in _received().items():
                received.add_metric([state], number)
            if (checked := _oldest_check()) is not None:
                age.add_metric([], max(0.0, (now - checked).total_seconds()))
        except DatabaseError:
            return []
        return [mails, received, age]


def _mails(since: datetime) -> dict[str, int]:
    recent = Q(state=OutgoingMail.State.QUEUED) | Q(ended_at__gte=since)
    return _by_state(OutgoingMail.objects.filter(recent, state__in=OutgoingMail.UNSENT), OutgoingMail.UNSENT)


def _received() -> dict[str, int]:
    return _by_state(ReceivedMessage.objects.filter(state__in=OPEN), OPEN)


def _by_state(rows: QuerySet[Any], states: Iterable[str]) -> dict[str, int]:
    """Return the number of rows in each of `states`."""
    found = rows.order_by().values_list("state").annotate(number=Count("pk"))
    return dict.fromkeys(map(str, states), 0) | dict(found)


def _oldest_check() -> datetime | None:
    """Return when the mailbox was checked that waits longest; None if none was."""
    fetched = Mailbox.objects.filter(is_active=True).exclude(imap_host="")
    oldest: datetime | None = fetched.aggregate(oldest=Min("imap_checked_at"))["oldest"]
    return oldest
