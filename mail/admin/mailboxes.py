"""Admin page of mailboxes."""

from django.contrib import admin

from accounts.admin.base import ProjectAdmin
from mail.models import Mailbox


@admin.register(Mailbox)
class MailboxAdmin(ProjectAdmin):
    """Mailboxes; one that has received messages is deactivated instead of deleted."""

    list_display = ("address", "office", "is_active", "unknown_senders", "authserv_id")
    list_filter = ("is_active",)
    list_select_related = ("office",)
    search_fields = ("address",)
    fields = ("address", "office", "is_active", "unknown_senders", "blocked_senders", "authserv_id")
