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

AUDIENCE = "Your audience; `staff` includes internal notes."
SEQ = "Number of the ticket's latest event for your audience; the next live event has `seq` + 1."
NAME_OR_ID = "By name or id."


class ChoiceSerializer(serializers.Serializer):  # type: ignore[misc]
    """A priority."""

    id = serializers.IntegerField(help_text="Id, accepted in place of the name.")
    name = serializers.CharField(help_text="Name, as in tickets and events.")
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", help_text="Colour as `#rrggbb`.")
    is_default = serializers.BooleanField(help_text="Whether it is the default for new tickets.")


class StatusSerializer(ChoiceSerializer):
    """A status."""

    is_closed = serializers.BooleanField(help_text="Whether tickets with this status count as closed.")


class NamedSerializer(serializers.Serializer):  # type: ignore[misc]
    """A user, as visible to you."""

    id = serializers.UUIDField(help_text="Stable id.")
    name = serializers.CharField(help_text="Display name; customers may see a different name of staff.")


class AssigneeSerializer(NamedSerializer):
    """The assignee of a ticket, as visible to you."""

    id = serializers.UUIDField(allow_null=True, help_text="Stable id; null if the user is hidden from you.")


class PersonSerializer(NamedSerializer):
    """A user with their role, as visible to you."""

    role = serializers.ChoiceField(User.Role.values, help_text="Role of the user.")


class AttachmentSerializer(serializers.Serializer):  # type: ignore[misc]
    """A file."""

    id = serializers.UUIDField(help_text="Use it in `attachments` until the file is attached.")
    filename = serializers.CharField(help_text="File name; its extension matches the detected type.")
    size = serializers.IntegerField(help_text="Size in bytes.")
    url = serializers.CharField(source="content_url", help_text="URL of the content.")


class TicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """A ticket, with the fields of live events."""

    uuid = serializers.UUIDField(help_text="Identifier in URLs.")
    reference = serializers.CharField(help_text="Short human-readable reference such as K7F-Q2MD.")
    url = serializers.CharField(help_text="URL of the ticket's page.")
    channel = serializers.CharField(help_text="Live channel of the ticket.")
    subject = serializers.CharField(help_text="Subject, one line.")
    status = serializers.CharField(help_text="Name of the status.")
    is_closed = serializers.BooleanField(help_text="Whether the status counts as closed.")
    priority = serializers.CharField(help_text="Name of the priority.")
    office = serializers.CharField(allow_null=True, help_text="Name of the office; null if hidden from you.")
    creator = NamedSerializer(help_text="The customer.")
    assigned_to = AssigneeSerializer(allow_null=True, help_text="Assignee; null if unassigned.")
    created_at = serializers.DateTimeField(help_text="Creation time.")
    updated_at = serializers.DateTimeField(help_text="Time of the latest change visible to you.")
    audience = serializers.ChoiceField(Audience.values, help_text=AUDIENCE)
    seq = serializers.IntegerField(help_text=SEQ)
    version = serializers.IntegerField(
        required=False, help_text="Version of the editable fields, as in the ETag; staff only."
    )


class WholeTicketSerializer(TicketSerializer):
    """A ticket with its first message."""

    content = serializers.CharField(help_text="The first message, in Markdown.")
    content_html = serializers.CharField(help_text="The message as sanitised HTML.")
    attachments = AttachmentSerializer(many=True, help_text="Files attached to the first message.")


class ReplySerializer(serializers.Serializer):  # type: ignore[misc]
    """A reply or an internal note."""

    id = serializers.UUIDField(help_text="Id, as in live events.")
    message = serializers.CharField(help_text="Text in Markdown.")
    message_html = serializers.CharField(help_text="The message as sanitised HTML.")
    is_internal = serializers.BooleanField(help_text="Whether it is an internal note, visible to staff only.")
    created_at = serializers.DateTimeField(help_text="Time of creation, or of publication for a published note.")
    user = PersonSerializer(help_text="Author.")
    attachments = AttachmentSerializer(many=True, help_text="Attached files.")
    version = serializers.IntegerField(required=False, help_text="Version, as in the ETag; staff only.")


class TimelineSerializer(serializers.Serializer):  # type: ignore[misc]
    """A timeline entry."""

    action = serializers.ChoiceField(TimelineEntry.Action.values, help_text="The changed field, or the action.")
    actor = PersonSerializer(help_text="The acting user.")
    created_at = serializers.DateTimeField(help_text="Time of the action.")

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is no name in Python."""
        words = {
            "from": "Name of the old value, or null.",
            "to": "Name of the new value, or null.",
        }
        fields = {name: serializers.CharField(allow_null=True, help_text=text) for name, text in words.items()}
        return {**super().get_fields(), **fields}


class TicketPage(serializers.Serializer):  # type: ignore[misc]
    """A page of tickets."""

    next = serializers.CharField(allow_null=True, help_text="URL of the next page; null on the last page.")
    previous = serializers.CharField(allow_null=True, help_text="URL of the previous page; null on the first page.")
    results = TicketSerializer(many=True, help_text="Tickets in the requested order.")


class ReplyPage(serializers.Serializer):  # type: ignore[misc]
    """A page of replies, oldest first."""

    next = serializers.CharField(allow_null=True, help_text="URL of the next page; null on the last page.")
    results = ReplySerializer(many=True, help_text="The replies.")


class TimelinePage(serializers.Serializer):  # type: ignore[misc]
    """A page of timeline entries, oldest first."""

    next = serializers.CharField(allow_null=True, help_text="URL of the next page; null on the last page.")
    results = TimelineSerializer(many=True, help_text="Timeline entries.")


class Files(serializers.ListField):  # type: ignore[misc]
    """Files that the person has uploaded and not sent yet."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Ids of uploaded files that are not attached yet.")
        kwargs.update(required=False, default=list, max_length=settings.ATTACHMENT_MAX_FILES)
        super().__init__(child=RowId(lambda user: Attachment.objects.filter(uploader=user, ticket=None)), **kwargs)

    def to_internal_value(self, data: Any) -> list[Attachment]:
        """Count before each is looked up."""
        if isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        found: list[Attachment] = super().to_internal_value(data)
        return found


class NewTicketSerializer(Body):
    """A new ticket."""

    subject = Text(max_length=MAX_SUBJECT, help_text="Subject, one line.")
    content = Text(max_length=MAX_MESSAGE, help_text="The message, in Markdown.")
    office = Row(offered_offices, help_text=f"Office. {NAME_OR_ID}")
    priority = Row(lambda user: Priority.objects.all(), required=False, help_text=f"{NAME_OR_ID} Else the default.")
    attachments = Files()

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


class NewReplySerializer(Body):
    """A reply, or an internal note."""

    message = Text(max_length=MAX_MESSAGE, help_text="Text in Markdown.")
    is_internal = Flag(default=False, help_text="Whether it is an internal note; staff only.")
    attachments = Files()

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


class VisibilitySerializer(Body):
    """The visibility of a message."""

    is_internal = Flag(help_text="`true` turns a reply into an internal note, `false` publishes a note.")

    default_error_messages = {"invalid": _("The body must be a JSON object.")}


class ChangesSerializer(Body):
    """The fields to change; omitted fields keep their values."""

    status = Row(lambda user: Status.objects.all(), required=False, help_text=NAME_OR_ID)
    priority = Row(lambda user: Priority.objects.all(), required=False, help_text=NAME_OR_ID)
    assigned_to = RowId(
        lambda user: policies.assignable_users(),
        required=False,
        allow_null=True,
        help_text="Id of an agent or admin; null removes the assignee.",
    )
    office = Row(offered_offices, required=False, help_text=f"Moves the ticket to this office. {NAME_OR_ID}")
    subject = Text(max_length=MAX_SUBJECT, required=False, help_text="Subject, one line.")

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
