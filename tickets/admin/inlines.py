"""The conversation and the timeline on a ticket's admin page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnly, name_column, request_user
from tickets.admin.forms import (
    MESSAGE_FIELDS,
    ConversationFormSet,
    LatestRowsFormSet,
    ParticipantForm,
    ParticipantFormSet,
)
from tickets.models import MAX_PARTICIPANTS, Participant, Reply, Ticket, TimelineEntry


class ReplyInline(admin.StackedInline[Reply, Ticket]):
    """The conversation. Replies and notes can be added and deleted, but not edited."""

    model = Reply
    formfield_overrides = MESSAGE_FIELDS
    formset = ConversationFormSet
    extra = 1
    template = "admin/tickets/ticket/conversation.html"
    verbose_name_plural = _("Conversation")
    fields = ("message", "is_internal")
    ordering = ("number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        replies = super().get_queryset(request).select_related("author")
        return replies.prefetch_related("attachments")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Pass the current user to the formset."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.by = request_user(request)
        return formset

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff


class ParticipantInline(admin.TabularInline[Participant, Ticket]):
    """The participants, who can be added and removed."""

    model = Participant
    form = ParticipantForm
    formset = ParticipantFormSet
    extra = 1
    max_num = MAX_PARTICIPANTS
    fields = ("person",)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Pass the current user to the formset."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.by = request_user(request)
        return formset

    @admin.display(description=_("person"))
    def person(self, participant: Participant) -> str:
        return f"{participant.user} <{participant.user.email}>"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff


class TimelineInline(ReadOnly, admin.TabularInline[TimelineEntry, Ticket]):
    model = TimelineEntry
    formset = LatestRowsFormSet
    fields = readonly_fields = ("created_at", "user", "action", "audience", "change")
    verbose_name_plural = _("activity")
    user = name_column("actor", _("person"), read="by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        return super().get_queryset(request).select_related("actor", "from_user", "to_user")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request_user(request).is_staff

    @admin.display(description=_("change"))
    def change(self, entry: TimelineEntry) -> str:
        """Return "from → to", or the author of the message."""
        if entry.from_user is not None and entry.action != TimelineEntry.Action.ASSIGNED_TO:
            return entry.from_user.name
        before = entry.from_user or entry.staff.get("from")
        after = entry.to_user or entry.staff.get("to")
        return f"{before or '-'} → {after or '-'}" if before or after else ""
