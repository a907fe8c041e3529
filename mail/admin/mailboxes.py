"""Admin page of mailboxes."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProjectAdmin
from mail.models import Mailbox

if TYPE_CHECKING:  # generic for the type checker only
    _MailboxForm = forms.ModelForm[Mailbox]
else:
    _MailboxForm = forms.ModelForm


class MailboxForm(_MailboxForm):
    """A mailbox. The password of its server is written only, and stays unless a new one is entered."""

    password = forms.CharField(
        label=_("IMAP password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave empty to keep the present one."),
    )

    def save(self, commit: bool = True) -> Mailbox:
        """Save, with a new password if there is one."""
        if self.cleaned_data["password"]:
            self.instance.imap_password = self.cleaned_data["password"]
        return super().save(commit)

    def clean(self) -> dict[str, Any] | None:
        """Require a user name for a server."""
        cleaned = super().clean()
        if self.cleaned_data.get("imap_host") and not self.cleaned_data.get("imap_username"):
            self.add_error("imap_username", _("Enter the user name for the IMAP server."))
        return cleaned


@admin.register(Mailbox)
class MailboxAdmin(ProjectAdmin):
    """Mailboxes; one that has received messages is deactivated instead of deleted."""

    form = MailboxForm
    list_display = ("address", "office", "is_active", "unknown_senders", "imap_host", "imap_checked_at", "imap_error")
    list_filter = ("is_active",)
    list_select_related = ("office",)
    search_fields = ("address",)
    readonly_fields = ("imap_checked_at", "imap_error")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "address",
                    "office",
                    "is_active",
                    "unknown_senders",
                    "adds_unknown_copies",
                    "spam_filter",
                    "blocked_senders",
                    "authserv_id",
                )
            },
        ),
        (
            "IMAP",
            {
                "fields": (
                    "imap_host",
                    "imap_port",
                    "imap_security",
                    "imap_username",
                    "password",
                    "imap_checked_at",
                    "imap_error",
                )
            },
        ),
    )
