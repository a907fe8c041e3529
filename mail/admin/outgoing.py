"""The admin page of outgoing mails."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProjectAdmin
from mail import payloads
from mail.models import OutgoingMail
from mail.outbound import deliveries


class UndeliveredFilter(admin.SimpleListFilter):
    """Shows the mails that were not delivered unless another state is chosen."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*OutgoingMail.State.choices, ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Not delivered")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> QuerySet[OutgoingMail]:
        if self.value() == "all":
            return queryset
        return queryset.filter(state__in=[self.value()] if self.value() else payloads.UNDELIVERED)


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ProjectAdmin):
    """Lists the mails that are owed or were sent, and sends failed ones again."""

    list_display = ("created_at", "recipient", "ticket", "event", "state", "reason")
    list_filter = (UndeliveredFilter, "event")
    search_fields = ("recipient__folded_name", "recipient__email", "ticket__reference", "reason")
    list_select_related = ("recipient", "ticket")
    ordering = ("-created_at",)
    fields = readonly_fields = (
        "recipient", "ticket", "event", "state", "reason", "message_id", "created_at", "ended_at",
    )  # fmt: skip
    show_full_result_count = False
    actions = ("retry_selected",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Deny adding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deny changing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deny deleting."""
        return False

    @admin.action(description=_("Send selected mails again"), permissions=["view"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        """Send the failed ones of the selected mails again."""
        retried = [mail for mail in queryset if deliveries.retry(mail)]
        for mail in retried:
            self.log_change(request, mail, "Retried.")
        text = ngettext("%(number)d mail will be sent again.", "%(number)d mails will be sent again.", len(retried))
        self.message_user(
            request,
            text % {"number": len(retried)} if retried else gettext("Only failed mails can be sent again."),
            messages.SUCCESS if retried else messages.WARNING,
        )
