"""Base classes of the admin pages. Access is denied unless a policy allows it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.utils import model_ngettext
from django.core.exceptions import PermissionDenied
from django.db.models import PROTECT, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from accounts import policies
from accounts.conflicts import validate_again
from accounts.forms import StoredChoicesField
from accounts.models import User

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

admin.site.site_header = admin.site.site_title = "TIKM"
admin.site.index_title = _("Admin")
admin.site.site_url = "/"


def request_user(request: HttpRequest) -> User:
    """Return the current user; the admin requires sign-in."""
    return cast(User, request.user)


def name_column(field: str, label: "StrPromise", *, read: str = "") -> Callable[[object, Model], str]:
    """Return a column with the user's name, without a link: agents may not open every user.

    `read` is the attribute to show if it is another one than `field`.
    """

    @admin.display(description=label, ordering=f"{field}__folded_name")
    def show(_page: object, row: Model) -> str:
        return str(getattr(row, read or field))

    return show


class ProjectAdmin(admin.ModelAdmin[Any]):
    """An admin page for admins only. Pages for agents add `StaffCanView`."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Raise Http404 for a missing object and for one that the user may not see."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def formfield_for_manytomany(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse an id that no database column holds in the form."""
        return super().formfield_for_manytomany(*args, **{"form_class": StoredChoicesField, **kwargs})

    @method_decorator(validate_again)
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a form error when another request has just saved the same unique value."""
        return super().changeform_view(*args, **kwargs)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the list's own filters: with others a hash could be guessed character by character."""
        asked = [*self.get_list_filter(request), self.date_hierarchy or ""]
        names = [getattr(each, "parameter_name", each) for each in asked]
        is_offered = any(lookup == name or lookup.startswith(f"{name}__") for name in names if name)
        return is_offered and super().lookup_allowed(lookup, value, request)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """Return the URL of the object's page on the site."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return counts of protected rows instead of one line for each."""
        protected = list(_protected_rows(list(objs)))
        if protected:
            return [], {}, set(), protected
        return super().get_deleted_objects(objs, request)

    def can_view_history(self, request: HttpRequest) -> bool:
        """Return whether the user may read the change history."""
        return policies.can_manage_users(request_user(request))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        if not self.can_view_history(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add whether the page links to the history."""
        context["shows_history"] = self.can_view_history(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return policies.can_manage_users(request_user(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policies.can_manage_users(request_user(request))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return policies.can_manage_users(request_user(request))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return policies.can_manage_users(request_user(request))


def _protected_rows(rows: list[Model]) -> Iterator[str]:
    """Yield the number of protected rows for each model that references `rows`."""
    for relation in rows[0]._meta.related_objects if rows else ():
        if relation.on_delete is PROTECT:
            references = relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": rows})
            number = references.count()
            if number:
                yield f"{number} {model_ngettext(references.model._meta, number)}"


class StaffCanView:
    """Mixin: agents may view the page, limited by its queryset."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request_user(request).is_staff


class OfficeFilter(admin.SimpleListFilter):
    """Filters by office; agents see their own offices."""

    title = _("office")
    parameter_name = "office"
    path = "office"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(office.pk), office.name) for office in policies.staffed_offices(request_user(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        offered = {key for key, _name in self.lookup_choices}
        return queryset.filter(**{self.path: self.value()}) if self.value() in offered else queryset


class ReadOnly:
    """Mixin: no adding, changing or deleting."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
