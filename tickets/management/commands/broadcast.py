"""Publish a test event through the event log, and print how many sockets received it."""

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

WAIT = 2.5  # seconds: every process reads the log once a second


class Command(BaseCommand):
    """Pages show the test event as a toast and do not apply it."""

    help = "Publish a test event and print its channels, audience, id and the number of sockets that received it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", choices=sorted(BUILDERS))
        parser.add_argument(
            "--ticket", metavar="UUID", help="the ticket, for ticket.updated and ticket.status.changed"
        )
        parser.add_argument("--reply", metavar="ID", help="the reply, for ticket.reply.created")
        parser.add_argument("--by", metavar="EMAIL", help="the acting user (default: the ticket's creator)")
        parser.add_argument("--from", dest="before", metavar="STATUS", default="Open")
        parser.add_argument("--to", dest="after", metavar="STATUS", default="Closed")
        parser.add_argument("--change", nargs="+", default=["test=websocket"], metavar="FIELD=VALUE")
        parser.add_argument("--wait", type=float, default=WAIT, help="seconds to wait for delivery receipts")

    def handle(self, *args: Any, **options: Any) -> None:
        event = TestEvent(BUILDERS[options["event"]](options))
        broadcast = publish(event, receipt=True)
        if broadcast is None:
            raise CommandError("BROADCAST_CONNECTION must be `channels` to broadcast events.")
        for delivery in broadcast.deliveries.order_by("pk"):
            self.stdout.write(f"{delivery.channel}  {delivery.audience} receives the {delivery.version} version")
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
    return _find(User, "user", email__iexact=options["by"]) if options["by"] else ticket.creator


def _find(model: Any, what: str, **by: str | UUID | None) -> Any:
    try:
        return model.objects.get(**by)
    except (model.DoesNotExist, ValidationError, ValueError):
        raise CommandError(f"No {what} {next(iter(by.values()))} found.") from None


def _change(text: str) -> Change:
    field, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"--change is {text!r}; expected FIELD=VALUE.")
    return Change(field, None, value)


def _receipts(broadcast: Broadcast) -> str:
    receipts = broadcast.receipts.order_by("process")
    lines = [f"{receipt.process} delivered to {receipt.sockets} sockets" for receipt in receipts]
    total = receipts.aggregate(total=Sum("sockets"))["total"] or 0
    return "\n".join([*lines, f"{total} sockets received the event from {len(lines)} processes."])
