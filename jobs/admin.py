"""The admin page of background jobs. It replaces those of django-q2, whose tables are not installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, Schedule, Success

from jobs import overdue
from jobs.models import Job
from jobs.runner import INTERRUPTED

if TYPE_CHECKING:  # generic for the type checker only
    _JobAdmin = admin.ModelAdmin[Job]
else:
    _JobAdmin = admin.ModelAdmin

for model in (Failure, Schedule, Success):
    admin.site.unregister(model)


class StateFilter(admin.SimpleListFilter):
    """Shows the failed jobs unless another state is chosen."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        others = [choice for choice in Job.State.choices if choice[0] != Job.State.FAILED]
        return [*others, ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": Job.State.FAILED.label}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or Job.State.FAILED)


@admin.register(Job)
class JobAdmin(_JobAdmin):
    """Lists the jobs, and runs failed ones again."""

    list_display = ("created_at", "task", "state", "attempts", "run_at", "reason")
    list_filter = (StateFilter, "task")
    search_fields = ("key", "error")
    ordering = ("-pk",)
    fields = readonly_fields = (
        "task", "key", "arguments", "state", "attempts", "reason", "created_at", "run_at", "finished_at",
    )  # fmt: skip
    show_full_result_count = False
    actions = ("retry_selected",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Warn of overdue jobs above the list."""
        if request.method == "GET":
            overdue.warn(request)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Deny adding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Deny changing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Deny deleting; `prune_jobs` deletes old ones."""
        return False

    @admin.display(description=_("reason"))
    def reason(self, job: Job) -> str:
        """Return why the last attempt failed: our own sentences in the reader's language."""
        ours, found, details = job.error.partition(INTERRUPTED)
        return f"{gettext(INTERRUPTED)}{details}" if found else gettext(ours) if ours else ""

    @admin.action(description=_("Retry selected jobs"), permissions=["view"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Run the failed ones of the selected jobs again."""
        retried = [job for job in queryset if job.state == Job.State.FAILED and job.retry()]
        for job in retried:
            self.log_change(request, job, "Retried.")
        text = ngettext("%(number)d job will be retried.", "%(number)d jobs will be retried.", len(retried))
        self.message_user(
            request,
            text % {"number": len(retried)} if retried else gettext("Only failed jobs can be retried."),
            messages.SUCCESS if retried else messages.WARNING,
        )
