"""Admin pages of organizations."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.admin.base import ProjectAdmin, request_user
from tickets.models import Organization, OrganizationDomain, OrganizationMember, OrganizationRemoval
from tickets.people import organizations


class DomainInline(admin.TabularInline[OrganizationDomain, Organization]):
    model = OrganizationDomain
    extra = 1


class MemberFormSet(BaseInlineFormSet[OrganizationMember, Organization, Any]):
    """The members; those that an admin adds are added by hand."""

    def clean(self) -> None:
        """Refuse staff, who would be customers of others by it."""
        super().clean()
        for form in self.extra_forms:
            user = form.cleaned_data.get("user") if hasattr(form, "cleaned_data") else None
            if user is not None and not user.is_customer:
                raise ValidationError(_("Only customers can be members."))


class MemberInline(admin.TabularInline[OrganizationMember, Organization]):
    """The members. To move one, an admin adds them elsewhere."""

    model = OrganizationMember
    formset = MemberFormSet
    extra = 1
    autocomplete_fields = ("user",)
    readonly_fields = ("is_manual",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrganizationMember]:
        """Fetch the names with the rows."""
        return super().get_queryset(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow adding and removing only: who replaced another in a row would leave no trace of the removal."""
        return False


class RemovalInline(admin.TabularInline[OrganizationRemoval, Organization]):
    """The people who were removed by hand. Deleting a row lets their addresses decide again."""

    model = OrganizationRemoval
    extra = 0
    readonly_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrganizationRemoval]:
        """Fetch the names with the rows."""
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: removing a member adds the row."""
        return False


@admin.register(Organization)
class OrganizationAdmin(ProjectAdmin):
    """Organizations with their domains and members."""

    list_display = ("name", "members_see_tickets")
    search_fields = ("name", "domains__domain")
    inlines = (DomainInline, MemberInline, RemovalInline)

    def save_formset(self, request: HttpRequest, form: BaseModelForm[Any], formset: Any, change: bool) -> None:
        """Add and remove people by the services; save domains."""
        by = request_user(request)
        if formset.model is OrganizationDomain:
            formset.save()
            return
        added = formset.save(commit=False)
        for row in formset.deleted_objects:
            undo = (
                organizations.restore_member if formset.model is OrganizationRemoval else organizations.remove_member
            )
            undo(row.organization, by=by, person=row.user)
        for row in added:
            organizations.add_member(row.organization, by=by, person=row.user)

    def delete_model(self, request: HttpRequest, obj: Organization) -> None:
        """Delete it by the service."""
        organizations.delete_organization(obj, by=request_user(request))
