"""Admin page of the audit log, for admins: it shows entries, and changes none."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProjectAdmin, ReadOnly, name_column
from accounts.models import User
from accounts.text.folding import fold
from audit.models import AuditEntry

PERSON = "accounts.user"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, ProjectAdmin):
    """Lists who did what, when and from where."""

    list_display = ("at", "actor_name", "action", "subject", "what", "address")
    list_display_links = ("at",)
    list_filter = ("action", "subject_type")
    list_select_related = ("actor",)
    search_fields = ("subject_name",)
    search_help_text = _("Name of a person or of what was changed, a network address, or the number of a request")
    show_full_result_count = False
    fields = ("at", "actor_name", "action", "subject", "what", "address", "request_id")

    actor_name = name_column("actor", _("who"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Search people by their present names: entries hold their keys."""
        term = search_term.strip()
        if not term:
            return queryset, False
        people = User.objects.filter(Q(folded_name__contains=fold(term)) | Q(email__iexact=term))
        keys = [str(key) for key in people.values_list("pk", flat=True)[:50]]
        found = Q(actor__in=keys) | Q(subject_type=PERSON, subject_id__in=keys)
        return queryset.filter(
            found | Q(subject_name__icontains=term) | Q(address__iexact=term) | Q(request_id=term)
        ), False

    @admin.display(description=_("subject"))
    def subject(self, entry: AuditEntry) -> str:
        """Return what the entry is about: a person by their present name."""
        if not entry.subject_type:
            return "-"
        if entry.subject_type != PERSON:
            return f"{apps.get_model(entry.subject_type)._meta.verbose_name} {entry.subject_name}"
        person = User.objects.filter(pk=entry.subject_id).first()
        return str(person) if person else "-"

    @admin.display(description=_("changes"))
    def what(self, entry: AuditEntry) -> str:
        """Return the changed fields, with their values before and after."""
        return "; ".join(_sentence(name, values) for name, values in entry.changes.items())


def _sentence(name: str, values: list[Any]) -> str:
    return f"{name}: {values[0]!s} → {values[1]!s}" if values else name
