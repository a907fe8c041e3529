"""Statuses and priorities are managed here; tickets are looked at, and changed on their own pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tickets.models import Priority, Reply, Status, Ticket, TimelineEntry


class ChoiceAdmin(admin.ModelAdmin[Any]):
    """A list of named, coloured values."""

    list_display: tuple[str, ...] = ("name", "color", "order", "is_default")
    search_fields = ("name",)


@admin.register(Status)
class StatusAdmin(ChoiceAdmin):
    """Where tickets stand."""

    list_display = (*ChoiceAdmin.list_display, "is_closed")


@admin.register(Priority)
class PriorityAdmin(ChoiceAdmin):
    """How much tickets hurt."""


class ReadOnly:
    """Shows, and changes nothing: what went past the verbs would be heard by nobody."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tickets are opened on the desk."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tickets are changed on the desk."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tickets stay."""
        return False


class ReplyInline(ReadOnly, admin.TabularInline[Reply, Ticket]):
    """The conversation."""

    model = Reply
    fields = readonly_fields = ("created_at", "author", "is_internal", "message")


class TimelineInline(ReadOnly, admin.TabularInline[TimelineEntry, Ticket]):
    """What happened."""

    model = TimelineEntry
    fields = readonly_fields = ("created_at", "actor", "action", "audience", "staff")


@admin.register(Ticket)
class TicketAdmin(ReadOnly, admin.ModelAdmin[Ticket]):
    """Every ticket, to look at."""

    list_display = (
        "reference",
        "subject",
        "status",
        "priority",
        "office",
        "creator",
        "assigned_to",
        "updated_at",
    )
    list_filter = ("status", "priority", "office")
    list_select_related = ("status", "priority", "office", "creator", "assigned_to")
    search_fields = ("reference", "subject", "creator__name", "creator__email")
    date_hierarchy = "created_at"
    inlines = (ReplyInline, TimelineInline)
