"""People and offices in Django's admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, ReadOnlyPasswordHashField
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from accounts.models import Office, User

admin.site.site_header = admin.site.site_title = "TIKM"
admin.site.unregister(Group)  # what a person may do follows from his role and his offices


class UserCreationForm(AdminUserCreationForm[User]):
    """Asks for a new person's address and name."""

    class Meta:
        model = User
        fields = ("email", "name", "role")


class UserChangeForm(forms.ModelForm[User]):
    """Shows that there is a password, never which."""

    password = ReadOnlyPasswordHashField(label=_("Password"))

    class Meta:
        model = User
        fields = ("email", "name", "role", "is_active", "password")


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Everybody; a person who leaves is switched off, since tickets keep their authors."""

    form = UserChangeForm
    add_form = UserCreationForm
    list_display = ("name", "email", "role", "is_active", "date_joined")
    list_filter = ("role", "is_active")
    search_fields = ("name", "email")
    ordering = ("name",)
    filter_horizontal = ()
    readonly_fields = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("name", "email", "role", "is_active", "password")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("name", "email", "role", "usable_password", "password1", "password2"),
            },
        ),
    )

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody is deleted."""
        return False


@admin.register(Office)
class OfficeAdmin(admin.ModelAdmin[Office]):
    """Offices and who works in them."""

    list_display = ("name", "is_internal", "description")
    list_filter = ("is_internal",)
    search_fields = ("name", "description")
    autocomplete_fields = ("agents",)
