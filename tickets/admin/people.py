"""People in Django's admin, with what concerns their tickets and data."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts import policies as accounts_policies
from accounts.admin.base import request_user
from accounts.admin.users import UserAdmin
from accounts.models import User
from tickets.views.privacy import archive_response

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People; admins also export what is known of them."""

    actions = ("export_selected",)

    def get_urls(self) -> list[URLPattern]:
        """Add the page's own actions."""
        export = path(
            "<uuid:person_id>/export/", self.admin_site.admin_view(self.export), name="accounts_user_export"
        )
        return [export, *super().get_urls()]

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may export people."""
        return accounts_policies.can_manage_users(request_user(request))

    @method_decorator(require_POST)
    def export(self, request: HttpRequest, person_id: Any) -> HttpResponseBase:
        """Return the person's data as a zip archive."""
        person: User = self.get_object(request, str(person_id))
        return self._export(request, person)

    @admin.action(description=_("Export the data of the selected person"), permissions=["manage"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponseBase | None:
        """Return the data of one person as a zip archive."""
        people = list(queryset[:2])
        if len(people) != 1:
            self.message_user(request, _("Select one person to export."), messages.ERROR)
            return None
        return self._export(request, people[0])

    def _export(self, request: HttpRequest, person: User) -> HttpResponseBase:
        """Log the export, and return the archive."""
        if not self.has_manage_permission(request):
            raise PermissionDenied
        by = request_user(request)
        LogEntry.objects.log_actions(by.pk, [person], CHANGE, str(_("Data exported.")), single_object=True)
        return archive_response(person)
