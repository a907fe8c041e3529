"""Models: tickets, their conversation, their attachments and their timeline."""

from tickets.models.attachments import INLINE_TYPES, Attachment, attachment_storage, unguessable_path
from tickets.models.choices import Choice, Priority, Status, Tag, TagColor, hex_color
from tickets.models.customer_notes import MAX_CUSTOMER_NOTE, CustomerNote, customer_channel
from tickets.models.drafts import Draft
from tickets.models.idempotency_keys import IdempotencyKey
from tickets.models.links import TicketLink
from tickets.models.mentions import Mention
from tickets.models.notifications import (
    PERSONAL_KINDS,
    STAFF_KINDS,
    Notification,
    NotificationKind,
    NotificationPreference,
    TicketSubscription,
)
from tickets.models.organizations import (
    Organization,
    OrganizationDomain,
    OrganizationMember,
    OrganizationRemoval,
)
from tickets.models.participants import MAX_PARTICIPANTS, Participant, participants_of
from tickets.models.push import PushKey, PushSubscription
from tickets.models.reading import DeliveryMark, ReadMark
from tickets.models.replies import Reply, ReplyRevision
from tickets.models.saved import MAX_QUERY, Macro, SavedReply, SavedView
from tickets.models.search_texts import SearchText
from tickets.models.splits import TicketSplit
from tickets.models.tickets import (
    MAX_MESSAGE,
    MAX_SUBJECT,
    REFERENCE_ALPHABET,
    Ticket,
    WaitingFor,
    new_reference,
    tags_of,
)
from tickets.models.timeline import TimelineEntry

__all__ = [
    "INLINE_TYPES",
    "MAX_CUSTOMER_NOTE",
    "MAX_MESSAGE",
    "MAX_PARTICIPANTS",
    "MAX_QUERY",
    "MAX_SUBJECT",
    "PERSONAL_KINDS",
    "REFERENCE_ALPHABET",
    "STAFF_KINDS",
    "Attachment",
    "Choice",
    "CustomerNote",
    "DeliveryMark",
    "Draft",
    "IdempotencyKey",
    "Macro",
    "Mention",
    "Notification",
    "NotificationKind",
    "NotificationPreference",
    "Organization",
    "OrganizationDomain",
    "OrganizationMember",
    "OrganizationRemoval",
    "Participant",
    "Priority",
    "PushKey",
    "PushSubscription",
    "ReadMark",
    "Reply",
    "ReplyRevision",
    "SavedReply",
    "SavedView",
    "SearchText",
    "Status",
    "Tag",
    "TagColor",
    "Ticket",
    "TicketLink",
    "TicketSplit",
    "TicketSubscription",
    "TimelineEntry",
    "WaitingFor",
    "attachment_storage",
    "customer_channel",
    "hex_color",
    "new_reference",
    "participants_of",
    "tags_of",
    "unguessable_path",
]
