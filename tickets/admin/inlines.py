"""The conversation and the timeline on a ticket's admin page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnly, name_column, request_user
from tickets.admin.forms import ConversationFormSet, LatestRowsFormSet
from tickets.models import Reply, Ticket, TimelineEntry


class ReplyInline(admin.StackedInline[Reply, Ticket]):
    """The conversation: replies and notes are added and deleted, never rewritten."""

    model = Reply
    formset = ConversationFormSet
    extra = 1
    template = "admin/tickets/ticket/conversation.html"
    verbose_name_plural = _("Conversation")
    fields = ("message", "is_internal")
    ordering = ("number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        """Read the authors and files with them."""
        replies = super().get_queryset(request).select_related("author", "ticket")
        return replies.prefetch_related("attachments")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Tell the form who looks."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.by = request_user(request)
        return formset

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may open the ticket's page here is its staff."""
        return request_user(request).is_staff

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its staff answer."""
        return request_user(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was said was said."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Which ones, the verb decides."""
        return request_user(request).is_staff


class TimelineInline(ReadOnly, admin.TabularInline[TimelineEntry, Ticket]):
    """What happened."""

    model = TimelineEntry
    formset = LatestRowsFormSet
    fields = readonly_fields = ("created_at", "who", "action", "audience", "words_of_staff")
    verbose_name_plural = _("activity")
    who = name_column("actor", _("person"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        """Read the people with them."""
        return super().get_queryset(request).select_related("actor", "from_user", "to_user")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may open the ticket's page here is its staff."""
        return request_user(request).is_staff

    @admin.display(description=_("change"))
    def words_of_staff(self, line: TimelineEntry) -> str:
        """Return from what to what, or whose message it was about."""
        if line.from_user is not None and line.action != TimelineEntry.Action.ASSIGNED_TO:
            return line.from_user.name
        before = line.from_user or line.staff.get("from")
        after = line.to_user or line.staff.get("to")
        return f"{before or '-'} → {after or '-'}" if before or after else ""
