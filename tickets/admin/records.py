"""Replies, attachments and timeline entries of all tickets in Django's admin, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import OfficeFilter, ProjectAdmin, ReadOnly, StaffCanView, name_column, request_user
from tickets import policies, search
from tickets.admin.inlines import TimelineInline
from tickets.admin.links import attachment_links
from tickets.models import Attachment, Reply, Ticket, TimelineEntry


class StaffedTicketsOnly(StaffCanView, ProjectAdmin):
    """Limits the rows to tickets that the user is staff of."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tickets = Ticket.objects.filter(policies.staffed_by(request_user(request)))
        return super().get_queryset(request).filter(ticket__in=tickets.values("pk"))


class TicketOfficeFilter(OfficeFilter):
    """Filters by the office of the row's ticket."""

    path = "ticket__office"


@admin.register(Reply)
class ReplyAdmin(ReadOnly, StaffedTicketsOnly):
    """Replies and notes; they are added and deleted on the ticket's page."""

    user = name_column("author", _("person"))
    list_display = ("ticket", "user", "is_internal", "source", "beginning", "created_at")
    list_filter = ("is_internal", "source", TicketOfficeFilter)
    list_select_related = ("ticket", "author")
    search_fields = ("message",)  # shows the field; get_search_results decides
    date_hierarchy = "created_at"
    fields = ("ticket", "user", "is_internal", "source", "message", "created_at")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Reply], term: str) -> Any:
        """Find messages by their words as the site's search does, and all of the ticket of a reference."""
        if not term.strip():
            return queryset, False
        user = request_user(request)
        named = search.named_ticket(term, user=user)
        found = search.search_replies(queryset, term, user=user).values("pk").order_by()
        return queryset.filter(Q(pk__in=found) | Q(ticket=named.pk if named else None)), False

    @admin.display(description=_("message"))
    def beginning(self, reply: Reply) -> str:
        return str(reply)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly, StaffedTicketsOnly):
    """Attachments; they are deleted with their message."""

    user = name_column("uploader", _("person"))
    list_display = ("filename", "content_type", "size", "ticket", "user", "created_at")
    list_filter = ("content_type", TicketOfficeFilter)
    list_select_related = ("ticket", "uploader")
    search_fields = ("filename", "ticket__reference")
    date_hierarchy = "created_at"
    fields = ("download", "content_type", "size", "ticket", "reply", "user", "created_at")

    @admin.display(description=_("file"))
    def download(self, attachment: Attachment) -> str:
        """Return a link to the file."""
        return attachment_links([attachment])


@admin.register(TimelineEntry)
class TimelineEntryAdmin(ReadOnly, StaffedTicketsOnly):
    """The timelines of all tickets."""

    user = name_column("actor", _("person"), read="by")
    list_display = ("created_at", "ticket", "user", "action", "source", "audience")
    list_filter = ("action", "audience", TicketOfficeFilter)
    list_select_related = ("ticket", "actor")
    search_fields = ("ticket__reference", "ticket__subject", "actor__name")
    date_hierarchy = "created_at"
    fields = ("created_at", "ticket", "user", "action", "source", "audience", "change")
    change = TimelineInline.change
