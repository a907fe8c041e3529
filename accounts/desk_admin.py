"""What all pages of Django's admin have in common: nobody is let in, but by a rule."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import policies
from accounts.models import User

admin.site.site_header = admin.site.site_title = "TIKM"
admin.site.site_url = "/"


def person_of(request: HttpRequest) -> User:
    """Return who asks: the admin lets nobody in who is not signed in."""
    return cast(User, request.user)


class DeskAdmin(admin.ModelAdmin[Any]):
    """For admins alone; pages that agents may see say so."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Offer the page to whoever may see it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins look at everything."""
        return policies.can_manage_people(person_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Admins add."""
        return policies.can_manage_people(person_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins change."""
        return policies.can_manage_people(person_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins delete."""
        return policies.can_manage_people(person_of(request))


class StaffMayLook:
    """A page that agents see too; what is on it is for its queryset to say."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Staff of any office may look."""
        return person_of(request).is_staff


class OfficeFilter(admin.SimpleListFilter):
    """By office: an agent is offered his own."""

    title = _("office")
    parameter_name = "office"
    path = "office"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the offices that one works in."""
        return [(str(office.pk), office.name) for office in policies.staffed_offices(person_of(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Show one office's."""
        offered = {key for key, _name in self.lookup_choices}
        return queryset.filter(**{self.path: self.value()}) if self.value() in offered else queryset


class ReadOnly:
    """Shows, and changes nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here."""
        return False
