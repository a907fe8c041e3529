"""The briefs as the API gives them: with its own addresses, and with what it takes to follow a ticket live."""

from typing import Any

from django.urls import reverse

from realtime.channels import Audience
from tickets import payloads
from tickets.markdown import render
from tickets.models import Attachment, Reply, Ticket


def ticket(row: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket as a list shows it."""
    live = {"channel": row.channel, "audience": audience.value, "seq": row.seq(audience)}
    return payloads.ticket_payload(row, audience) | live


def whole_ticket(row: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket with what it was opened with."""
    files = [attachment(file) for file in row.attachments.filter(reply=None)]
    words = {"content": row.content, "content_html": render(row.content)}
    return ticket(row, audience) | words | {"attachments": files}


def reply(row: Reply, audience: Audience) -> dict[str, Any]:
    """Return one turn of the conversation."""
    files = [attachment(file) for file in row.attachments.all()]
    return payloads.reply_payload(row, audience) | {"attachments": files}


def attachment(row: Attachment) -> dict[str, Any]:
    """Return a file, with the address that takes a token."""
    address = reverse("api:attachment-content", args=[row.pk])
    return payloads.attachment_payload(row) | {"content_url": address}
