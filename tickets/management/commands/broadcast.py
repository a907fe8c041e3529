"""Publishes a test event through the same log as real ones, and says how many sockets were told."""

import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum

from accounts.models import User
from realtime import publish
from realtime.models import Broadcast
from tickets.events import TestEvent, TicketEvent, TicketReplyCreated, TicketStatusChanged, TicketUpdated
from tickets.models import Reply, Status, Ticket
from tickets.signals import Change

WAIT = 2.5  # seconds: every process tails the log once a second


class Command(BaseCommand):
    """Pages show the test event as a toast marked as a test; none applies it."""

    help = "Publish a test event: its channels, audience and id are printed, and how many sockets were told."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the three events."""
        parser.add_argument("event", choices=sorted(BUILDERS))
        parser.add_argument("--ticket", metavar="UUID", help="the ticket (updated, status.changed)")
        parser.add_argument("--reply", metavar="ID", help="the reply (reply.created)")
        parser.add_argument("--by", metavar="EMAIL", help="who did it; else the ticket's creator")
        parser.add_argument("--from", dest="before", metavar="STATUS", default="Open")
        parser.add_argument("--to", dest="after", metavar="STATUS", default="Closed")
        parser.add_argument("--change", nargs="+", default=["test=websocket"], metavar="FIELD=VALUE")
        parser.add_argument("--wait", type=float, default=WAIT, help="seconds to wait for the receipts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish, wait for the receipts, print."""
        event = TestEvent(BUILDERS[options["event"]](options))
        broadcast = publish(event, receipt=True)
        if broadcast is None:
            raise CommandError("BROADCAST_CONNECTION tells nobody; set it to `channels`.")
        for delivery in broadcast.deliveries.order_by("pk"):
            self.stdout.write(f"{delivery.channel}  {delivery.audience} hears the {delivery.version} version")
        self.stdout.write(f"event_id {broadcast.event_id}")
        time.sleep(options["wait"])
        self.stdout.write(_receipts(broadcast))


def _updated(options: dict[str, Any]) -> TicketEvent:
    ticket = _ticket(options)
    changes = [_change(text) for text in options["change"]]
    return TicketUpdated(ticket, _actor(options, ticket), changes)


def _status_changed(options: dict[str, Any]) -> TicketEvent:
    ticket = _ticket(options)
    before, after = (_find(Status, "status", name=options[key]) for key in ("before", "after"))
    return TicketStatusChanged(ticket, _actor(options, ticket), before, after)


def _reply_created(options: dict[str, Any]) -> TicketEvent:
    return TicketReplyCreated(_find(Reply, "reply", pk=options["reply"]))


BUILDERS = {
    "ticket.updated": _updated,
    "ticket.status.changed": _status_changed,
    "ticket.reply.created": _reply_created,
}


def _ticket(options: dict[str, Any]) -> Ticket:
    ticket: Ticket = _find(Ticket, "ticket", uuid=options["ticket"])
    return ticket


def _actor(options: dict[str, Any], ticket: Ticket) -> User:
    return _find(User, "person", email__iexact=options["by"]) if options["by"] else ticket.creator


def _find(model: Any, what: str, **by: str | UUID | None) -> Any:
    try:
        return model.objects.get(**by)
    except (model.DoesNotExist, ValidationError, ValueError):
        raise CommandError(f"There is no {what} {next(iter(by.values()))}.") from None


def _change(text: str) -> Change:
    field, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"--change takes FIELD=VALUE, not {text}.")
    return Change(field, None, value)


def _receipts(broadcast: Broadcast) -> str:
    receipts = broadcast.receipts.order_by("process")
    lines = [f"{receipt.process} told {receipt.sockets} sockets" for receipt in receipts]
    total = receipts.aggregate(total=Sum("sockets"))["total"] or 0
    return "\n".join([*lines, f"{total} sockets were told by {len(lines)} processes."])
