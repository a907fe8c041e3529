"""API tokens, sessions and two-step sign-in in Django's admin: listed and revoked."""

from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.forms import CheckboxInput
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProjectAdmin, request_user
from accounts.models import ApiToken
from accounts.sign_in import sessions


class ListOnly(ProjectAdmin):
    """A list whose rows can only be deleted; they have no page of their own."""

    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the columns of the list, which hold no hash or secret."""
        return self.list_display


@admin.register(ApiToken)
class ApiTokenAdmin(ListOnly):
    """API tokens; deleting one revokes it."""

    list_display = ("name", "user", "scope", "created", "last_used_at", "expiry")
    list_select_related = ("user",)
    search_fields = ("name", "user__name", "user__email")
    date_hierarchy = "created"

    def get_urls(self) -> list[URLPattern]:
        """Return the list's URL only: a row's URL would contain its hash."""
        return [url for url in super().get_urls() if (url.name or "").endswith("_changelist")]

    def action_checkbox(self, obj: ApiToken) -> SafeString:
        """Render a checkbox with the token's public id."""
        box = CheckboxInput({"class": "action-select", "aria-label": str(obj)}, lambda value: False)
        return box.render(ACTION_CHECKBOX_NAME, str(obj.id))

    def response_action(self, request: Any, queryset: QuerySet[ApiToken], *args: Any) -> HttpResponse | None:
        """Replace the selected public ids by primary keys."""
        ids = [key for key in map(_uuid, request.POST.getlist(ACTION_CHECKBOX_NAME)) if key is not None]
        request.POST = request.POST.copy()
        digests = list(ApiToken.objects.filter(id__in=ids).values_list("digest", flat=True))
        request.POST.setlist(ACTION_CHECKBOX_NAME, digests)
        return super().response_action(request, queryset, *args)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> Any:
        """Log the deletions with public ids."""
        kind = ContentType.objects.get_for_model(ApiToken)
        fields = {"user": request_user(request), "content_type": kind, "action_flag": DELETION}
        return [LogEntry.objects.create(object_id=str(each.id), object_repr=str(each), **fields) for each in queryset]


@admin.register(UserSession)
class UserSessionAdmin(ListOnly):
    """Active sessions; deleting one ends it."""

    list_display = ("user", "browser", "ip", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email", "ip")
    date_hierarchy = "created_at"

    @admin.display(description=_("browser"))
    def browser(self, session: UserSession) -> str:
        return sessions.browser_name(session.user_agent)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> Any:
        """Log the deletions without addresses: later nothing says whose they were, and an erasure misses them."""
        kind = ContentType.objects.get_for_model(UserSession)
        fields = {"user": request_user(request), "content_type": kind, "action_flag": DELETION}
        return [
            LogEntry.objects.create(object_id=str(each.pk), object_repr=self.browser(each)[:200], **fields)
            for each in queryset
        ]

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        """End the session and its sockets."""
        sessions.end_sessions([obj])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """End the sessions and their sockets."""
        sessions.end_sessions(queryset)


@admin.register(Authenticator)
class AuthenticatorAdmin(ListOnly):
    """Two-step sign-in. Deleting it lets a user sign in who lost their phone. The secret is never shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email")

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """Delete it, and recovery codes if nothing else is left: they alone would require a second step."""
        left = Authenticator.objects.filter(user=obj.user_id)
        obj.delete()
        if not left.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
            left.delete()

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for authenticator in queryset:
            self.delete_model(request, authenticator)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
