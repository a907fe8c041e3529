"""Admin page of received messages: what became of each, the original, and a second try."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProjectAdmin, ReadOnly
from mail.inbound import approval, reasons
from mail.models import ReceivedMessage

State = ReceivedMessage.State


class StateFilter(admin.SimpleListFilter):
    """Shows what needs a decision unless another state is chosen."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*State.choices, ("spam", _("Spam")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Held or failed")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReceivedMessage]) -> QuerySet[ReceivedMessage]:
        if self.value() == "all":
            return queryset
        if self.value() == "spam":
            return queryset.filter(is_spam=True)
        return queryset.filter(state__in=[self.value()] if self.value() else [State.HELD, State.FAILED])


@admin.register(ReceivedMessage)
class ReceivedMessageAdmin(ReadOnly, ProjectAdmin):
    """Lists received messages; admins deliver those that are held, ignored or failed."""

    list_display = ("received_at", "sender", "subject", "mailbox", "state", "why", "identity")
    list_filter = (StateFilter, "mailbox", "identity")
    list_select_related = ("mailbox",)
    search_fields = ("sender", "subject", "message_id")
    date_hierarchy = "received_at"
    show_full_result_count = False
    fields = (
        "received_at", "mailbox", "sender", "identity", "is_automatic", "is_spam", "subject", "message_id", "size",
        "copies", "state", "why", "processed_at", "ticket", "original",
    )  # fmt: skip
    actions = ("deliver_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("raw")

    def get_urls(self) -> list[URLPattern]:
        """Add the original."""
        view = self.admin_site.admin_view(self.download)
        return [path("<uuid:pk>/original/", view, name="mail_receivedmessage_original"), *super().get_urls()]

    def download(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Return the message as it came, as a file that mail programs open."""
        message = ReceivedMessage.objects.filter(pk=pk).exclude(raw=None).first()
        if message is None or not self.has_view_permission(request, message):
            raise Http404
        response = HttpResponse(bytes(message.raw or b""), content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{message.pk}.eml"'
        return response

    @admin.display(description=_("reason"))
    def why(self, message: ReceivedMessage) -> str:
        sentence = str(reasons.SENTENCES.get(message.reason, ""))
        return f"{sentence} {message.detail}".strip()

    @admin.display(description=_("original"))
    def original(self, message: ReceivedMessage) -> str:
        if not ReceivedMessage.objects.filter(pk=message.pk).exclude(raw=None).exists():
            return gettext("Deleted after the retention time")
        url = reverse("admin:mail_receivedmessage_original", args=[message.pk])
        return format_html('<a href="{}">{}</a>', url, gettext("Download"))

    @admin.action(description=_("Deliver selected messages"), permissions=["view"])
    def deliver_selected(self, request: HttpRequest, queryset: QuerySet[ReceivedMessage]) -> None:
        """Let held, ignored and failed messages pass."""
        delivered = [message for message in queryset if approval.approve(message)]
        for message in delivered:
            self.log_change(request, message, "Delivered.")
        number = len(delivered)
        text = ngettext("%(number)d message will be delivered.", "%(number)d messages will be delivered.", number)
        self.message_user(
            request,
            text % {"number": number} if delivered else gettext("These messages can't be delivered."),
            messages.SUCCESS if delivered else messages.WARNING,
        )
