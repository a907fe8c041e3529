"""Base classes of the admin pages. Every permission comes from a policy."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.utils import model_ngettext
from django.core.exceptions import PermissionDenied
from django.db.models import PROTECT, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import policies
from accounts.models import User

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

admin.site.site_header = admin.site.site_title = "TIKM"
admin.site.index_title = _("Admin")
admin.site.site_url = "/"


def request_user(request: HttpRequest) -> User:
    """Return the signed-in user; the admin admits no others."""
    return cast(User, request.user)


def name_column(field: str, label: "StrPromise") -> Callable[[object, Model], str]:
    """Return a column with a user's name, without a link that agents may not follow."""

    @admin.display(description=label, ordering=f"{field}__name")
    def show(_page: object, row: Model) -> str:
        return str(getattr(row, field))

    return show


class ProjectAdmin(admin.ModelAdmin[Any]):
    """An admin page for admins; see `StaffCanView` for agents."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the object; 404 if it does not exist or is not visible."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the list's own filters: other lookups could guess a hash letter by letter."""
        asked = [*self.get_list_filter(request), self.date_hierarchy or ""]
        names = [getattr(each, "parameter_name", each) for each in asked]
        is_offered = any(lookup == name or lookup.startswith(f"{name}__") for name in names if name)
        return is_offered and super().lookup_allowed(lookup, value, request)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """Return the object's own page."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count protected rows instead of listing them: there may be thousands."""
        in_the_way = list(_in_the_way(list(objs)))
        if in_the_way:
            return [], {}, set(), in_the_way
        return super().get_deleted_objects(objs, request)

    def may_see_history(self, request: HttpRequest) -> bool:
        """Return whether the user may see who changed what."""
        return policies.can_manage_users(request_user(request))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show who changed what."""
        if not self.may_see_history(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add whether the page links to the history."""
        context["shows_history"] = self.may_see_history(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the page in the index to users who may view it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins look at everything."""
        return policies.can_manage_users(request_user(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Admins add."""
        return policies.can_manage_users(request_user(request))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins change."""
        return policies.can_manage_users(request_user(request))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins delete."""
        return policies.can_manage_users(request_user(request))


def _in_the_way(rows: list[Model]) -> Iterator[str]:
    """Yield how many rows of each model refer to `rows` and protect them."""
    for relation in rows[0]._meta.related_objects if rows else ():
        if relation.on_delete is PROTECT:
            users = relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": rows})
            number = users.count()
            if number:
                yield f"{number} {model_ngettext(users.model._meta, number)}"


class StaffCanView:
    """A page that agents may view too; its queryset limits what they see."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Allow agents and admins."""
        return request_user(request).is_staff


class OfficeFilter(admin.SimpleListFilter):
    """Filter by office; agents choose from their own."""

    title = _("office")
    parameter_name = "office"
    path = "office"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the offices of the user."""
        return [(str(office.pk), office.name) for office in policies.staffed_offices(request_user(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen office."""
        offered = {key for key, _name in self.lookup_choices}
        return queryset.filter(**{self.path: self.value()}) if self.value() in offered else queryset


class ReadOnly:
    """A read-only page."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here."""
        return False
