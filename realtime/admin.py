"""The log of what was told, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from realtime.models import Broadcast


@admin.register(Broadcast)
class BroadcastAdmin(admin.ModelAdmin[Broadcast]):
    """What was told, when and behind which rule; the superusers of the project look, and nobody changes the past."""

    list_display = ("created_at", "event", "guard", "event_id")
    list_filter = ("event",)
    search_fields = ("event", "guard", "event_id")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("created_at", "event", "event_id", "guard", "public", "staff")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """What was not told is not in the log."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was told was told."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The log is trimmed by `prune_broadcasts`."""
        return False
