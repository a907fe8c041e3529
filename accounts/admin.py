"""People, offices, sign-ins, tokens and the desk's settings in Django's admin."""

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, ReadOnlyPasswordHashField
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import addresses, policies, sign_ins
from accounts.desk_admin import DeskAdmin, OfficeFilter, ReadOnly, StaffMayLook, person_of
from accounts.models import ApiToken, DeskSettings, Office, User

# What a person may do follows from his role and his offices; the rest is shown here in our own way.
for _model in (Group, EmailAddress, EmailConfirmation, UserSession, Authenticator):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


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

    is_oneself = False

    def clean(self) -> dict[str, Any]:
        """Keep somebody who runs the desk: nobody steps down by himself, so there is always one left."""
        data = super().clean() or {}
        if self.is_oneself and (data.get("role") != User.Role.ADMIN or not data.get("is_active")):
            raise forms.ValidationError(_("Another admin has to take this from you."))
        return data


class EmailAddressInline(ReadOnly, admin.TabularInline[EmailAddress, User]):
    """The addresses that a person has confirmed, or not yet."""

    model = EmailAddress
    fields = readonly_fields = ("email", "verified", "primary")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Addresses are for admins."""
        return policies.can_manage_people(person_of(request))


class OfficeOfPerson(OfficeFilter):
    """By the office that a person works in."""

    path = "offices"


@admin.register(User)
class UserAdmin(StaffMayLook, DeskAdmin, DjangoUserAdmin[User]):
    """Everybody; a person who leaves is switched off, since tickets keep their authors."""

    form = UserChangeForm
    add_form = UserCreationForm
    list_display = ("name", "role", "is_active", "date_joined")
    list_filter = ("role", "is_active", OfficeOfPerson)
    search_fields = ("name", "email")
    ordering = ("name",)
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
    agents_fieldsets = ((None, {"fields": ("name", "role")}),)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """A new person has no addresses yet."""
        return () if obj is None else self.inlines

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Show whom the policies let one look up."""
        return policies.known_people(person_of(request))

    def get_list_display(self, request: HttpRequest) -> Any:
        """Show addresses to admins only."""
        return ("name", "email", *self.list_display[1:]) if self._manages(request) else ("name", "role")

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Leave agents what they could see anyhow."""
        return self.list_filter if self._manages(request) else ("role",)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Agents do not find out addresses by searching for them."""
        return self.search_fields if self._manages(request) else ("name",)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show agents a colleague's name and role."""
        return super().get_fieldsets(request, obj) if self._manages(request) else self.agents_fieldsets

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form whether it is one's own."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.is_oneself = obj is not None and obj.pk == person_of(request).pk and self._manages(request)
        return form

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[User], term: str) -> Any:
        """Offer for a field only whom it accepts."""
        found, may_repeat = super().get_search_results(request, queryset, term)
        field = (request.GET.get("model_name"), request.GET.get("field_name"))
        if field == ("ticket", "assigned_to"):
            found = found.filter(is_active=True).exclude(role=User.Role.CUSTOMER)
        if field == ("office", "agents"):
            found = found.filter(role=User.Role.AGENT)
        return found, may_repeat

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save; an address that an admin wrote counts as known."""
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            addresses.trust(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody is deleted."""
        return False

    def _manages(self, request: HttpRequest) -> bool:
        return policies.can_manage_people(person_of(request))


@admin.register(Office)
class OfficeAdmin(StaffMayLook, DeskAdmin):
    """Offices and who works in them; an agent sees his own."""

    list_display = ("name", "is_internal", "people", "description")
    list_filter = ("is_internal",)
    search_fields = ("name", "description")
    autocomplete_fields = ("agents",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Office]:
        """Show the offices that one works in."""
        return policies.staffed_offices(person_of(request)).annotate(people=Count("agents"))

    @admin.display(description=_("agents"), ordering="people")
    def people(self, office: Any) -> int:
        """Return how many agents work in it."""
        return int(office.people)


@admin.register(DeskSettings)
class DeskSettingsAdmin(DeskAdmin):
    """One row: its list leads straight to it."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the only row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row, _created = DeskSettings.objects.get_or_create(pk=1)
        return redirect(reverse("admin:accounts_desksettings_change", args=[row.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one desk."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is always one desk."""
        return False


class ListOnly(DeskAdmin):
    """A list to look at and delete from; nothing is made or changed, and a row has no page of its own."""

    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come about elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are as they are."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show on a row's page what the list shows: never a hash or a secret."""
        return self.list_display


@admin.register(ApiToken)
class ApiTokenAdmin(ListOnly):
    """Whose programs may work the desk; to delete a token is to revoke it."""

    list_display = ("name", "user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("name", "user__name", "user__email")
    date_hierarchy = "created"


@admin.register(UserSession)
class UserSessionAdmin(ListOnly):
    """Who is signed in where; to delete a sign-in is to end it."""

    list_display = ("user", "browser", "ip", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email", "ip")
    date_hierarchy = "created_at"

    @admin.display(description=_("browser"))
    def browser(self, sign_in: UserSession) -> str:
        """Return which browser it is."""
        return sign_ins.browser_of(sign_in.user_agent)

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        """End the session, and with it its sockets."""
        sign_ins.end([obj])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """End the sessions, and with them their sockets."""
        sign_ins.end(queryset)


@admin.register(Authenticator)
class AuthenticatorAdmin(ListOnly):
    """Who has a second step; to delete it is to let somebody in who lost his phone. The secret is never shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email")
