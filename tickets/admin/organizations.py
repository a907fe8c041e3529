"""Admin pages of organizations."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext as _

from accounts.admin.base import ProjectAdmin
from tickets.models import Organization, OrganizationDomain, OrganizationMember


class DomainInline(admin.TabularInline[OrganizationDomain, Organization]):
    model = OrganizationDomain
    extra = 1


class MemberFormSet(BaseInlineFormSet[OrganizationMember, Organization, Any]):
    """The members; those that an admin adds are added by hand."""

    def clean(self) -> None:
        """Refuse staff, who would be customers of others by it."""
        super().clean()
        for form in self.forms:
            user = form.cleaned_data.get("user") if hasattr(form, "cleaned_data") else None
            if user is not None and not user.is_customer:
                raise ValidationError(_("Only customers can be members."))


class MemberInline(admin.TabularInline[OrganizationMember, Organization]):
    model = OrganizationMember
    formset = MemberFormSet
    extra = 1
    autocomplete_fields = ("user",)
    readonly_fields = ("is_manual",)


@admin.register(Organization)
class OrganizationAdmin(ProjectAdmin):
    """Organizations with their domains and members."""

    list_display = ("name", "members_see_tickets")
    search_fields = ("name", "domains__domain")
    inlines = (DomainInline, MemberInline)
