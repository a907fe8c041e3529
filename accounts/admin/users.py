"""Users and offices in Django's admin."""

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, ReadOnlyPasswordHashField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, ManyToManyField, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts import email_addresses, policies
from accounts.admin.base import OfficeFilter, ProjectAdmin, ReadOnly, StaffCanView, request_user
from accounts.models import Office, User
from accounts.sign_in import sessions, sign_ups, tokens
from accounts.text.folding import fold


class UniqueEmail:
    """Requires an email address that no other user has, ignoring case."""

    instance: User
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """Reject an address that another user has or has verified."""
        email: str = self.cleaned_data["email"].lower()
        if sign_ups.is_taken(email, by_other_than=self.instance):
            raise forms.ValidationError(_("This email address is already in use."))
        return email

    def _get_validation_exclusions(self) -> set[str]:
        """Skip the model's check of the address: it would count unconfirmed sign-ups."""
        return {*super()._get_validation_exclusions(), "email"}  # type: ignore[misc]


class UserCreationForm(UniqueEmail, AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email", "name", "role")


class UserChangeForm(UniqueEmail, forms.ModelForm[User]):
    """The form of an existing user; shows whether a password is set."""

    password = ReadOnlyPasswordHashField(label=_("Password"))

    class Meta:
        model = User
        fields = ("email", "name", "role", "is_active", "password")

    is_self = False

    def clean(self) -> dict[str, Any]:
        """Keep at least one active admin. Admins cannot demote or deactivate themselves."""
        data = super().clean() or {}
        stays = data.get("role") == User.Role.ADMIN and data.get("is_active")
        if stays or not (self.instance.is_admin and self.instance.is_active):
            return data
        if self.is_self:
            raise forms.ValidationError(_("Only another admin can remove your admin role."))
        # Lock the admins, in the page's transaction: a concurrent change waits here and counts again.
        list(User.objects.select_for_update().filter(role=User.Role.ADMIN).order_by("pk"))
        if not policies.other_admins(self.instance).exists():
            raise forms.ValidationError(_("At least one active admin is required."))
        return data


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        """Save, end all sessions, revoke all tokens, and remove recent addresses."""
        user: User = super().save(commit)
        email_addresses.announce_removal(user, email_addresses.remove_recent_addresses(user))
        sessions.end_other_sessions(user, None)
        tokens.revoke_all(user)
        return user


class EmailAddressInline(ReadOnly, admin.TabularInline[EmailAddress, User]):
    """The user's email addresses and whether they are verified."""

    model = EmailAddress
    fields = readonly_fields = ("email", "verified", "primary")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return policies.can_manage_users(request_user(request))


class UserOfficeFilter(OfficeFilter):
    """Filters by the offices of the user."""

    path = "offices"


@admin.register(User)
class UserAdmin(StaffCanView, ProjectAdmin, DjangoUserAdmin[User]):
    """Users. They are deactivated instead of deleted, since tickets keep their authors."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = ("name", "role", "is_active", "date_joined")
    list_filter = ("role", "is_active", UserOfficeFilter)
    search_fields = ("folded_name", "email")
    ordering = ("folded_name", "email")
    filter_horizontal = ()
    readonly_fields = ("date_joined", "last_login")
    date_hierarchy = "date_joined"
    inlines = (EmailAddressInline,)
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
    agent_fieldsets = ((None, {"fields": ("name", "role")}),)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return () if obj is None else self.inlines

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return policies.visible_users(request_user(request))

    def get_list_display(self, request: HttpRequest) -> Any:
        return ("name", "email", *self.list_display[1:]) if self._manages(request) else ("name", "role")

    def get_list_filter(self, request: HttpRequest) -> Any:
        return self.list_filter if self._manages(request) else ("role",)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Agents cannot search by email address."""
        return self.search_fields if self._manages(request) else ("folded_name",)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return super().get_fieldsets(request, obj) if self._manages(request) else self.agent_fieldsets

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Pass to the form whether the user edits themselves."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.is_self = obj is not None and obj.pk == request_user(request).pk and self._manages(request)
        return form

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[User], term: str) -> Any:
        """Limit the autocomplete results to the users that the field accepts."""
        found, may_repeat = super().get_search_results(request, queryset, fold(term))
        field = (request.GET.get("model_name"), request.GET.get("field_name"))
        if field == ("ticket", "assigned_to"):
            found = found.filter(is_active=True).exclude(role=User.Role.CUSTOMER)
        if field == ("office", "agents"):
            found = found.filter(role=User.Role.AGENT)
        return found, may_repeat

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save; replace the addresses by one set by an admin, and end the sessions of a deactivated user."""
        sign_ups.discard_others(obj.email, than=obj)
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            sessions.end_other_sessions(obj, None)
        if not change:
            email_addresses.mark_verified(obj)
        elif "email" in form.changed_data:
            own_session = request.session.session_key if obj.pk == request_user(request).pk else None
            email_addresses.replace_addresses(obj, obj.email, keep_session=own_session)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Set another user's password. Their own is changed on the site, which asks for the old one."""
        if _key(id) == request_user(request).pk:
            return redirect("account_change_password")
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _manages(self, request: HttpRequest) -> bool:
        return policies.can_manage_users(request_user(request))


def _key(object_id: str) -> Any:
    """Return the primary key of a URL, read as Django's admin reads it: a UUID has several spellings."""
    try:
        return User._meta.pk.to_python(unquote(object_id))
    except ValidationError:
        return None


@admin.register(Office)
class OfficeAdmin(StaffCanView, ProjectAdmin):
    """Offices and their agents; agents see their own offices."""

    list_display = ("name", "is_internal", "people", "description")
    list_filter = ("is_internal",)
    search_fields = ("name", "description")
    formfield_overrides = {ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Office]:
        return policies.staffed_offices(request_user(request)).annotate(people=Count("agents"))

    @admin.display(description=_("agents"), ordering="people")
    def people(self, office: Any) -> int:
        return int(office.people)
