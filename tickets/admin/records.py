"""Replies, attachments and timeline entries of all tickets in Django's admin, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import OfficeFilter, ProjectAdmin, ReadOnly, StaffCanView, name_column, request_user
from tickets import policies
from tickets.admin.inlines import TimelineInline
from tickets.admin.links import attachment_links
from tickets.models import Attachment, Reply, Ticket, TimelineEntry


class OfStaffedTickets(StaffCanView, ProjectAdmin):
    """Rows that belong to a ticket: for the staff of that ticket."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show those of the tickets that one is staff of."""
        tickets = Ticket.objects.filter(policies.staffed_by(request_user(request)))
        return super().get_queryset(request).filter(ticket__in=tickets.values("pk"))


class TicketOfficeFilter(OfficeFilter):
    """By the office of the row's ticket."""

    path = "ticket__office"


@admin.register(Reply)
class ReplyAdmin(ReadOnly, OfStaffedTickets):
    """Everything that was said; it is written and deleted with its ticket."""

    who = name_column("author", _("person"))
    list_display = ("ticket", "who", "is_internal", "beginning", "created_at")
    list_filter = ("is_internal", TicketOfficeFilter)
    list_select_related = ("ticket", "author")
    search_fields = ("message", "ticket__reference", "ticket__subject")
    date_hierarchy = "created_at"
    fields = ("ticket", "who", "is_internal", "message", "created_at")

    @admin.display(description=_("message"))
    def beginning(self, reply: Reply) -> str:
        """Return the first words."""
        return str(reply)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly, OfStaffedTickets):
    """Every file that was sent; it goes with its message."""

    who = name_column("uploader", _("person"))
    list_display = ("filename", "content_type", "size", "ticket", "who", "created_at")
    list_filter = ("content_type", TicketOfficeFilter)
    list_select_related = ("ticket", "uploader")
    search_fields = ("filename", "ticket__reference")
    date_hierarchy = "created_at"
    fields = ("download", "content_type", "size", "ticket", "reply", "who", "created_at")

    @admin.display(description=_("file"))
    def download(self, attachment: Attachment) -> str:
        """Lead to the file itself."""
        return attachment_links([attachment])


@admin.register(TimelineEntry)
class TimelineEntryAdmin(ReadOnly, OfStaffedTickets):
    """Who did what, and when."""

    who = name_column("actor", _("person"))
    list_display = ("created_at", "ticket", "who", "action", "audience")
    list_filter = ("action", "audience", TicketOfficeFilter)
    list_select_related = ("ticket", "actor")
    search_fields = ("ticket__reference", "ticket__subject", "actor__name")
    date_hierarchy = "created_at"
    fields = ("created_at", "ticket", "who", "action", "audience", "words_of_staff")
    words_of_staff = TimelineInline.words_of_staff
