"""What the API says of tickets and is told, field by field; the values are those of `tickets/payloads.py`."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.fields import Body, Flag, Row, RowId, Text
from accounts.models import User
from accounts.policies import offered_offices
from realtime import Audience
from tickets import payloads, policies
from tickets.markdown import render
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Attachment, Priority, Reply, Status, Ticket, TimelineEntry

AUDIENCE = "As whom you read it: `staff` reads internal notes too."
SEQ = "The number of the latest event that you may hear of this ticket: a live event with `seq` + 1 follows it."
NAME_OR_ID = "By name, as answers call it, or by id."


class ChoiceSerializer(serializers.Serializer):  # type: ignore[misc]
    """A priority."""

    id = serializers.IntegerField(help_text="What tickets are changed to, as an alternative to the name.")
    name = serializers.CharField(help_text="As tickets and events call it.")
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", help_text="As #rrggbb.")
    is_default = serializers.BooleanField(help_text="New tickets begin with it.")


class StatusSerializer(ChoiceSerializer):
    """A status."""

    is_closed = serializers.BooleanField(help_text="Nothing is left to do.")


class NamedSerializer(serializers.Serializer):  # type: ignore[misc]
    """A person, as you know them."""

    id = serializers.UUIDField(help_text="The same for ever.")
    name = serializers.CharField(help_text="Customers may know staff by another name than colleagues do.")


class AssigneeSerializer(NamedSerializer):
    """Who works on a ticket, as you know them."""

    id = serializers.UUIDField(allow_null=True, help_text="The same for ever; null where you may not know who it is.")


class PersonSerializer(NamedSerializer):
    """A person with their role, as you know them."""

    role = serializers.ChoiceField(User.Role.values, help_text="What they are at the desk.")


class AttachmentSerializer(serializers.Serializer):  # type: ignore[misc]
    """A file."""

    id = serializers.UUIDField(help_text="What `attachments` takes, until it is sent.")
    filename = serializers.CharField(help_text="It ends as its content is, whatever it was sent as.")
    size = serializers.IntegerField(help_text="Bytes.")
    url = serializers.CharField(source="content_url", help_text="Where its content is.")


class TicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """A ticket, with the fields that live events carry too."""

    uuid = serializers.UUIDField(help_text="By which it is addressed.")
    reference = serializers.CharField(help_text="A short code for people, such as K7F-Q2MD.")
    url = serializers.CharField(help_text="Its page.")
    channel = serializers.CharField(help_text="The live channel of what happens to it.")
    subject = serializers.CharField(help_text="One line.")
    status = serializers.CharField(help_text="The status's name.")
    is_closed = serializers.BooleanField(help_text="Whether its status means that nothing is left to do.")
    priority = serializers.CharField(help_text="The priority's name.")
    office = serializers.CharField(allow_null=True, help_text="The office's name; null where you may not know it.")
    creator = NamedSerializer(help_text="Who asked.")
    assigned_to = AssigneeSerializer(allow_null=True, help_text="Who works on it; null is nobody.")
    created_at = serializers.DateTimeField(help_text="When it was opened.")
    updated_at = serializers.DateTimeField(help_text="Its latest change that you may know of.")
    audience = serializers.ChoiceField(Audience.values, help_text=AUDIENCE)
    seq = serializers.IntegerField(help_text=SEQ)
    version = serializers.IntegerField(
        required=False, help_text="For staff: of the fields that can be changed, as in the ETag."
    )


class WholeTicketSerializer(TicketSerializer):
    """A ticket with its opening message."""

    content = serializers.CharField(help_text="The message that it was opened with, in Markdown.")
    content_html = serializers.CharField(help_text="The same as safe HTML.")
    attachments = AttachmentSerializer(many=True, help_text="The files that came with that message.")


class ReplySerializer(serializers.Serializer):  # type: ignore[misc]
    """One turn of the conversation, or an internal note."""

    id = serializers.UUIDField(help_text="As live events name it.")
    message = serializers.CharField(help_text="Markdown.")
    message_html = serializers.CharField(help_text="The same as safe HTML.")
    is_internal = serializers.BooleanField(help_text="A note: read by staff of the ticket alone.")
    created_at = serializers.DateTimeField(help_text="When it was written, or else made public.")
    user = PersonSerializer(help_text="Who wrote it.")
    attachments = AttachmentSerializer(many=True, help_text="The files that came with it.")
    version = serializers.IntegerField(required=False, help_text="For staff: its place, as in the ETag.")


class TimelineSerializer(serializers.Serializer):  # type: ignore[misc]
    """Who did what to the ticket, and when."""

    action = serializers.ChoiceField(
        TimelineEntry.Action.values, help_text="For changes, the field's name; else what was done."
    )
    actor = PersonSerializer(help_text="Who did it.")
    created_at = serializers.DateTimeField(help_text="When.")

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is no name in Python."""
        words = {
            "from": "The value before the change, by its name; else null.",
            "to": "The value after it; else null.",
        }
        fields = {name: serializers.CharField(allow_null=True, help_text=text) for name, text in words.items()}
        return {**super().get_fields(), **fields}


class TicketPage(serializers.Serializer):  # type: ignore[misc]
    """A page of tickets."""

    next = serializers.CharField(allow_null=True, help_text="The address of the page after this one; null: the last.")
    previous = serializers.CharField(allow_null=True, help_text="The address of the page before; null: the first.")
    results = TicketSerializer(many=True, help_text="The tickets, in the order that was asked for.")


class ReplyPage(serializers.Serializer):  # type: ignore[misc]
    """Some turns of a conversation, oldest first."""

    next = serializers.CharField(allow_null=True, help_text="The address of what follows; null: nothing.")
    results = ReplySerializer(many=True, help_text="The replies.")


class TimelinePage(serializers.Serializer):  # type: ignore[misc]
    """Some lines of a timeline, oldest first."""

    next = serializers.CharField(allow_null=True, help_text="The address of what follows; null: nothing.")
    results = TimelineSerializer(many=True, help_text="The lines.")


class Files(serializers.ListField):  # type: ignore[misc]
    """Files that the person has uploaded and not sent yet."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Ids of files that you have uploaded and not sent yet.")
        kwargs.update(required=False, default=list, max_length=settings.ATTACHMENT_MAX_FILES)
        super().__init__(child=RowId(lambda user: Attachment.objects.filter(uploader=user, ticket=None)), **kwargs)

    def to_internal_value(self, data: Any) -> list[Attachment]:
        """Count before each is looked up."""
        if isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        found: list[Attachment] = super().to_internal_value(data)
        return found


class NewTicketSerializer(Body):
    """A ticket to open."""

    subject = Text(max_length=MAX_SUBJECT, help_text="One line.")
    content = Text(max_length=MAX_MESSAGE, help_text="The message, in Markdown.")
    office = Row(offered_offices, help_text=f"Where it goes. {NAME_OR_ID}")
    priority = Row(lambda user: Priority.objects.all(), required=False, help_text=f"{NAME_OR_ID} Else the default.")
    attachments = Files()

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


class NewReplySerializer(Body):
    """A reply, or an internal note."""

    message = Text(max_length=MAX_MESSAGE, help_text="Markdown.")
    is_internal = Flag(default=False, help_text="A note for staff of the ticket; only they may write one.")
    attachments = Files()

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


class VisibilitySerializer(Body):
    """Who may read a message."""

    is_internal = Flag(help_text="True makes a reply a note; false makes a note a reply, which its customer reads.")

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


class ChangesSerializer(Body):
    """What to change; a field that is not sent stays as it is."""

    status = Row(lambda user: Status.objects.all(), required=False, help_text=NAME_OR_ID)
    priority = Row(lambda user: Priority.objects.all(), required=False, help_text=NAME_OR_ID)
    assigned_to = RowId(
        lambda user: policies.assignable_users(),
        required=False,
        allow_null=True,
        help_text="An agent's or admin's id; null takes the assignee off.",
    )
    office = Row(offered_offices, required=False, help_text=f"Moves it. {NAME_OR_ID}")
    subject = Text(max_length=MAX_SUBJECT, required=False, help_text="One line.")

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


def ticket_data(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket for TicketSerializer, with its live channel and sequence number."""
    live = {"channel": ticket.channel, "audience": audience.value, "seq": ticket.seq(audience)}
    return payloads.ticket_payload(ticket, audience) | live


def whole_ticket_data(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket for WholeTicketSerializer."""
    attachments = [attachment_data(file) for file in ticket.attachments.filter(reply=None)]
    content = {"content": ticket.content, "content_html": render(ticket.content)}
    return ticket_data(ticket, audience) | content | {"attachments": attachments}


def reply_data(reply: Reply, audience: Audience) -> dict[str, Any]:
    """Return a reply for ReplySerializer."""
    attachments = [attachment_data(file) for file in reply.attachments.all()]
    return payloads.reply_payload(reply, audience) | {"attachments": attachments}


def attachment_data(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment for AttachmentSerializer, with the URL that accepts a token."""
    url = reverse("api:attachment-content", args=[attachment.pk])
    return payloads.attachment_payload(attachment) | {"content_url": url}
