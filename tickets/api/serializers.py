"""Serializers of tickets and their conversation; the values come from `tickets/payloads.py`."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import SkipField

from accounts.api.fields import Address, Body, Flag, Line, Row, RowId, Text
from accounts.models import User
from accounts.policies import offered_offices
from realtime import Audience
from tickets import payloads, policies
from tickets.actors import Source
from tickets.models import (
    MAX_MESSAGE,
    MAX_SUBJECT,
    Attachment,
    Priority,
    Reply,
    Status,
    TagColor,
    Ticket,
    TimelineEntry,
    WaitingFor,
)

AUDIENCE = "Your audience: `staff` also reads internal notes."
SEQ = "The sequence number of the latest event of this ticket for you; the next live event has `seq` + 1."
SOURCE = "how it was written."
NAME_OR_ID = "By name or by id."


class ChoiceSerializer(serializers.Serializer):  # type: ignore[misc]
    """A priority."""

    id = serializers.IntegerField(help_text="Accepted in requests instead of the name.")
    name = serializers.CharField(help_text="As in tickets and events.")
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", help_text="As #rrggbb.")
    is_default = serializers.BooleanField(help_text="The value of new tickets.")


class StatusSerializer(ChoiceSerializer):
    """A status."""

    is_closed = serializers.BooleanField(help_text="Tickets with this status are closed.")
    awaits_customer = serializers.BooleanField(
        help_text="Tickets with this status wait for the customer, whose reply returns them to the default status."
    )


class NamedSerializer(serializers.Serializer):  # type: ignore[misc]
    """A user, under the name that you may see."""

    id = serializers.UUIDField(help_text="Never changes.")
    name = serializers.CharField(help_text="Customers may see another name of staff than colleagues do.")


class CustomerSerializer(NamedSerializer):
    """A person that staff may open a ticket for."""

    email = serializers.EmailField(help_text="Their email address.")


class MaskedSerializer(NamedSerializer):
    """A member of staff, under the name that you may see."""

    id = serializers.UUIDField(allow_null=True, help_text="Null if you may not see who it is.")


class PersonSerializer(NamedSerializer):
    """A user with their role, under the name that you may see."""

    id = serializers.UUIDField(allow_null=True, help_text="Null if you may not see who it is.")
    role = serializers.ChoiceField(User.Role.values, help_text="The user's role.")


class ActorSerializer(PersonSerializer):
    """A user with their role, or the system, which has no id."""

    role = serializers.ChoiceField(payloads.ACTOR_ROLES, help_text="The user's role, or `system`.")


class AttachmentSerializer(serializers.Serializer):  # type: ignore[misc]
    """A file."""

    id = serializers.UUIDField(help_text="Accepted in `attachments` until the file is sent.")
    filename = serializers.CharField(help_text="The extension matches the content.")
    size = serializers.IntegerField(help_text="Size in bytes.")
    url = Address(source="content_url", help_text="The URL of the content.")


class TagSerializer(serializers.Serializer):  # type: ignore[misc]
    """A tag, for staff."""

    id = serializers.IntegerField(help_text="Stays when an admin renames it.")
    name = serializers.CharField(help_text="Its name.")
    color = serializers.ChoiceField(TagColor.values, help_text="The name of its colour.")


class StaffTime(serializers.DateTimeField):  # type: ignore[misc]
    """A time or null, which customers do not receive at all."""

    def get_attribute(self, instance: dict[str, Any]) -> Any:
        """Skip the field without a value; of a field that may be null, the framework would return null."""
        if self.field_name not in instance:
            raise SkipField
        return super().get_attribute(instance)


class TicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """A ticket, with the fields of live events."""

    uuid = serializers.UUIDField(help_text="The id used in URLs.")
    reference = serializers.CharField(help_text="A short code to quote, such as K7F-Q2MD.")
    url = Address(help_text="Its URL in the API.")
    html_url = Address(help_text="The URL of its page.")
    channel = serializers.CharField(help_text="The live channel of its events.")
    subject = serializers.CharField(help_text="A single line.")
    status = serializers.CharField(help_text="The status's name.")
    status_id = serializers.IntegerField(help_text="The status's id, which stays when an admin renames it.")
    is_closed = serializers.BooleanField(help_text="Whether its status is a closed one.")
    priority = serializers.CharField(help_text="The priority's name.")
    priority_id = serializers.IntegerField(help_text="The priority's id.")
    office = serializers.CharField(allow_null=True, help_text="The office's name; null if you may not see it.")
    office_id = serializers.IntegerField(allow_null=True, help_text="The office's id; null if you may not see it.")
    creator = NamedSerializer(help_text="The customer.")
    opened_by = MaskedSerializer(
        allow_null=True, help_text="The member of staff who opened it for the customer; null if the customer did."
    )
    assigned_to = MaskedSerializer(allow_null=True, help_text="The assignee; null if unassigned.")
    participants = MaskedSerializer(
        many=True, help_text="Others who read the public conversation and may reply, in the order they were added."
    )
    created_at = serializers.DateTimeField(help_text="When the ticket was opened.")
    waiting_for = serializers.ChoiceField(
        WaitingFor.values, allow_null=True, help_text="Who has to write next; null for a closed ticket."
    )
    waiting_since = serializers.DateTimeField(allow_null=True, help_text="When their first unanswered message came.")
    updated_at = serializers.DateTimeField(help_text="Its latest change that you may see.")
    audience = serializers.ChoiceField(Audience.values, help_text=AUDIENCE)
    seq = serializers.IntegerField(help_text=SEQ)
    version = serializers.IntegerField(
        required=False, help_text="Staff only: the version of the editable fields, as in the ETag."
    )
    source = serializers.ChoiceField(Source.values, required=False, help_text=f"Staff only: {SOURCE}")
    tags = TagSerializer(many=True, required=False, help_text="Staff only: its tags.")
    snoozed_until = StaffTime(
        required=False,
        allow_null=True,
        help_text="Staff only: when its snooze ends; null without one.",
    )
    is_merged = serializers.BooleanField(
        required=False, help_text="Staff only: whether it was merged into another ticket."
    )


class WholeTicketSerializer(TicketSerializer):
    """A ticket with its first message."""

    content = serializers.CharField(help_text="The opening message, as typed.")
    content_html = serializers.CharField(help_text="The same, rendered as sanitised HTML.")
    attachments = AttachmentSerializer(many=True, help_text="The files of that message.")


class ReplySerializer(serializers.Serializer):  # type: ignore[misc]
    """A reply, or an internal note."""

    id = serializers.UUIDField(help_text="As in live events.")
    message = serializers.CharField(help_text="The text as typed.")
    message_html = serializers.CharField(help_text="The same, rendered as sanitised HTML.")
    is_internal = serializers.BooleanField(help_text="An internal note, for staff of the ticket only.")
    created_at = serializers.DateTimeField(help_text="When it was written, or when the note was made public.")
    edited_at = serializers.DateTimeField(allow_null=True, help_text="When its author last edited it; null if never.")
    editable_until = serializers.DateTimeField(
        allow_null=True, help_text="When its author can no longer edit it; null if messages cannot be edited here."
    )
    user = PersonSerializer(help_text="The author.")
    attachments = AttachmentSerializer(many=True, help_text="The files of this message.")
    version = serializers.IntegerField(required=False, help_text="Staff only: its version, as in the ETag.")
    source = serializers.ChoiceField(Source.values, required=False, help_text=f"Staff only: {SOURCE}")


class TimelineSerializer(serializers.Serializer):  # type: ignore[misc]
    """A timeline entry."""

    action = serializers.ChoiceField(TimelineEntry.Action.values, help_text="The changed field, or the action.")
    actor = ActorSerializer(help_text="The user who did it, or the system.")
    created_at = serializers.DateTimeField(help_text="When it was done.")
    source = serializers.ChoiceField(
        Source.values, required=False, help_text="Staff only: how the message of this entry was written."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is a Python keyword."""
        words = {
            "from": "The previous value's name, or null.",
            "to": "The new value's name, or null.",
        }
        fields = {name: serializers.CharField(allow_null=True, help_text=text) for name, text in words.items()}
        return {**super().get_fields(), **fields}


class TicketPage(serializers.Serializer):  # type: ignore[misc]
    """A page of tickets."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    previous = Address(allow_null=True, help_text="The URL of the previous page; null on the first page.")
    results = TicketSerializer(many=True, help_text="The tickets in the requested order.")


class ReplyPage(serializers.Serializer):  # type: ignore[misc]
    """A page of replies, oldest first."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = ReplySerializer(many=True, help_text="The replies.")


class TimelinePage(serializers.Serializer):  # type: ignore[misc]
    """A page of timeline entries, oldest first."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = TimelineSerializer(many=True, help_text="The entries.")


class Files(serializers.ListField):  # type: ignore[misc]
    """Ids of uploaded files that the user has not sent yet."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Ids of uploaded files that are not attached yet.")
        kwargs.update(required=False, default=list, max_length=settings.ATTACHMENT_MAX_FILES)
        super().__init__(child=RowId(lambda user: Attachment.objects.filter(uploader=user, ticket=None)), **kwargs)

    def to_internal_value(self, data: Any) -> list[Attachment]:
        """Check the number of ids before looking them up."""
        if isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        found: list[Attachment] = super().to_internal_value(data)
        return found


class NewTicketSerializer(Body):
    """A new ticket."""

    subject = Line(max_length=MAX_SUBJECT, help_text="A single line.")
    content = Text(max_length=MAX_MESSAGE, help_text="The message, in Markdown.")
    office = Row(offered_offices, help_text=f"The office to contact. {NAME_OR_ID}")
    priority = Row(
        lambda user: Priority.objects.all(),
        required=False,
        help_text=f"{NAME_OR_ID} Defaults to the default priority.",
    )
    customer = Line(
        max_length=400,
        required=False,
        help_text="Staff only: the customer, by default you. An id or the whole name, an email address, or "
        "`Name <address>`; an unknown address gets an account.",
    )
    attachments = Files()


class NewReplySerializer(Body):
    """A reply, or an internal note."""

    message = Text(max_length=MAX_MESSAGE, help_text="Markdown.")
    is_internal = Flag(default=False, help_text="An internal note. Only staff of the ticket may write one.")
    attachments = Files()
    status = Row(
        lambda user: Status.objects.all(),
        required=False,
        help_text=f"Staff only: the ticket's new status, set together with the reply. {NAME_OR_ID}",
    )
    mentions = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=50,
        help_text="The ids of staff of the ticket that a note mentions as `@` and their name. Others are ignored.",
    )
    seen = serializers.UUIDField(
        required=False,
        help_text="The id of the latest message that you have seen, or the ticket's `uuid` for the first one: if "
        "others have added messages since, the request fails with 409. Without it, the reply is always added.",
    )


class ReplyChangeSerializer(Body):
    """The visibility of a message, or its new text: one of them."""

    takes_one_field = True
    is_internal = Flag(
        required=False, help_text="True makes a reply an internal note; false makes a note a public reply."
    )
    message = Text(required=False, max_length=MAX_MESSAGE, help_text="The new text, from the author only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both fields at once, and none."""
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Send either is_internal or message."))
        return attrs


class Assignee(RowId):
    """An assignable user, by UUID or as `me`."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the user of the request for `me`."""
        user = self.context["request"].user
        return super().to_internal_value(str(user.pk) if data == "me" else data)


class LostTicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """A ticket that the user changed and may no longer see."""

    uuid = serializers.UUIDField(help_text="The id used in URLs.")
    is_visible = serializers.BooleanField(help_text="Always false: reading the ticket gives 404 from now on.")
    detail = serializers.CharField(help_text="A human-readable explanation, in the user's language.")


class ChangesSerializer(Body):
    """The fields to change; a missing field is not changed."""

    status = Row(lambda user: Status.objects.all(), required=False, help_text=NAME_OR_ID)
    priority = Row(lambda user: Priority.objects.all(), required=False, help_text=NAME_OR_ID)
    assigned_to = Assignee(
        lambda user: policies.assignable_users(),
        required=False,
        allow_null=True,
        help_text="An agent's or admin's id, or `me`; null removes the assignee.",
    )
    office = Row(offered_offices, required=False, help_text=f"Moves the ticket. {NAME_OR_ID}")
    subject = Line(max_length=MAX_SUBJECT, required=False, help_text="A single line.")
    tags = serializers.ListField(
        child=Line(max_length=40),
        required=False,
        max_length=20,
        help_text="The names of all its tags: others are taken off. An unknown one is new.",
    )
    snoozed_until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="Snoozes the ticket until this time, at most a year ahead; null ends the snooze.",
    )


def ticket_data(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket for TicketSerializer, with its URLs, live channel and sequence number."""
    urls = {"url": reverse("api:ticket", args=[ticket.uuid]), "html_url": ticket.get_absolute_url()}
    live = {"channel": ticket.channel, "audience": audience.value, "seq": ticket.seq(audience)}
    return payloads.ticket_payload(ticket, audience) | urls | live


def whole_ticket_data(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket for WholeTicketSerializer."""
    attachments = [attachment_data(file) for file in ticket.attachments.filter(reply=None)]
    content = {"content": ticket.content, "content_html": ticket.html}
    return ticket_data(ticket, audience) | content | {"attachments": attachments}


def reply_data(reply: Reply, audience: Audience) -> dict[str, Any]:
    """Return a reply for ReplySerializer."""
    attachments = [attachment_data(file) for file in reply.attachments.all()]
    return payloads.reply_payload(reply, audience) | {"attachments": attachments}


def attachment_data(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment for AttachmentSerializer, with the URL that accepts a token."""
    url = reverse("api:attachment-content", args=[attachment.pk])
    return payloads.attachment_payload(attachment) | {"content_url": url}
